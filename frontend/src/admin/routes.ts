import type { RouteRecordRaw } from 'vue-router'

/** The pages of who looks after people, units, the record of acts, tokens and settings. */
export const adminRoutes: RouteRecordRaw[] = [
  { path: 'people', name: 'people', component: () => import('./PeoplePage.vue') },
  { path: 'units', name: 'units', component: () => import('./UnitsPage.vue') },
  { path: 'audit', name: 'audit', component: () => import('./AuditPage.vue') },
  { path: 'tokens', name: 'tokens', component: () => import('./TokensPage.vue') },
  { path: 'settings', name: 'settings', component: () => import('./SettingsPage.vue') },
]
