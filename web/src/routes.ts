// The pages: what is in this table exists, is in the menu, in the palette and under its letter. The
// groups have their order; a group without a page is not shown.
import type { Component } from 'svelte'
import Dashboard from '@lucide/svelte/icons/layout-dashboard'
import Gauge from '@lucide/svelte/icons/gauge'
import Bell from '@lucide/svelte/icons/bell'
import Stethoscope from '@lucide/svelte/icons/stethoscope'
import Logs from '@lucide/svelte/icons/scroll-text'
import User from '@lucide/svelte/icons/user'
import type { Role } from './api/types'
import { t } from './lib/i18n'

export type Group = 'monitor' | 'network' | 'configure' | 'system'

export interface Route {
  path: string
  title: string
  short?: string // under the tab of a phone
  icon: Component<{ size?: number | string }>
  group: Group | null // null: not in the menu
  role: Role
  letter: string // after G
  tab?: boolean // in the bottom tabs of a phone
  page: () => Promise<{ default: Component }>
}

export const groups: { name: Group; title: string }[] = [
  { name: 'monitor', title: t.shell.monitor },
  { name: 'system', title: t.shell.system },
]

export const routes: Route[] = [
  { path: '/', title: t.shell.dashboard, short: t.shell.home, icon: Dashboard, group: 'monitor', role: 'viewer', letter: 'd', tab: true, page: () => import('./pages/dashboard/Page.svelte') },
  { path: '/devices', title: t.shell.devices, short: t.shell.devicesShort, icon: Gauge, group: 'monitor', role: 'viewer', letter: 'h', tab: true, page: () => import('./pages/devices/Page.svelte') },
  { path: '/alerts', title: t.shell.alerts, icon: Bell, group: 'monitor', role: 'viewer', letter: 'a', tab: true, page: () => import('./pages/alerts/Page.svelte') },
  { path: '/diagnostics', title: t.shell.diagnostics, icon: Stethoscope, group: 'system', role: 'viewer', letter: 'x', page: () => import('./pages/diagnostics/Page.svelte') },
  { path: '/logs', title: t.shell.logs, icon: Logs, group: 'system', role: 'viewer', letter: 'l', tab: true, page: () => import('./pages/logs/Page.svelte') },
  { path: '/account', title: t.shell.account, icon: User, group: null, role: 'viewer', letter: 'u', page: () => import('./pages/account/Page.svelte') },
]

export function routeOf(path: string): Route | undefined {
  const clean = path.length > 1 ? path.replace(/\/+$/, '') : path
  return routes.find(route => route.path === clean)
}
