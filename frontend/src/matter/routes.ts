import type { RouteRecordRaw } from 'vue-router'

/** One case, and what there is to do for who is out on duty. */
export const matterRoutes: RouteRecordRaw[] = [
  { path: 'case/:ref(\\d{1,12}(?:-\\d{1,3})?)', name: 'case', component: () => import('./CasePage.vue') },
  { path: 'duty', name: 'duty', component: () => import('./DutyPage.vue') },
]
