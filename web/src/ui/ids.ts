export const tabIds = (group: string, value: string) => ({ tab: `${group}-tab-${value}`, panel: `${group}-panel-${value}` })
