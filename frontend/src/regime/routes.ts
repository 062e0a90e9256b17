import type { RouteRecordRaw } from 'vue-router'

/** What decides about cases: the one-stop list, the rules of assignment, the working calendar. */
export const regimeRoutes: RouteRecordRaw[] = [
  { path: 'list', name: 'list', component: () => import('./ListPage.vue') },
  { path: 'rules', name: 'rules', component: () => import('./RulesPage.vue') },
  { path: 'calendar', name: 'calendar', component: () => import('./CalendarPage.vue') },
]
