import type { Severity } from '../../api/types'

export const severityLook: Record<Severity, 'stale' | 'warning' | 'alarm'> = { info: 'stale', warning: 'warning', critical: 'alarm' }
export const severityRank: Record<Severity, number> = { info: 0, warning: 1, critical: 2 }
