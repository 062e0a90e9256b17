import type { RouteRecordRaw } from 'vue-router'

/** Units at work: who is there, who is on duty, who is away. */
export const teamRoutes: RouteRecordRaw[] = [
  { path: 'team', name: 'team', component: () => import('./TeamsPage.vue') },
  {
    path: 'team/:unit(\\d{1,15})',
    name: 'team-unit',
    component: () => import('./TeamPage.vue'),
    props: route => ({ unit: Number(route.params.unit) }),
    meta: { workspace: 'team' },
  },
]
