import { en } from './en'

export const t: typeof en = en
