import type { RouteRecordRaw } from 'vue-router'

/** One case, and what there is to do for who is out on duty. */
export const matterRoutes: RouteRecordRaw[] = [
  { path: 'case/:ref([0-9-]{1,16})', name: 'case', component: () => import('./CasePage.vue') },
  { path: 'duty', name: 'duty', component: () => import('./DutyPage.vue') },
]
