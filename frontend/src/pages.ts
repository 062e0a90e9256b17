import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'
import CityList from './CityList.vue'

const city = '/:city([a-z][a-z0-9]{1,30})'
const code = (route: RouteLocationNormalized) => ({ code: String(route.params.city) })

/** The pages: the list of cities, a city's live map, and what residents see. */
export function createPages() {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', component: CityList },
      {
        path: city,
        component: () => import('./center/CenterPage.vue'),
        props: code,
      },
      // For anybody, signed in or not. The link's secret is the fragment of /r, which no server sees.
      { path: `${city}/report`, component: () => import('./resident/ReportPage.vue'), props: code },
      { path: `${city}/r`, component: () => import('./resident/FollowPage.vue'), props: code },
      { path: `${city}/outbox`, component: () => import('./outbox/OutboxPage.vue'), props: code },
      { path: '/:rest(.*)', redirect: '/' },
    ],
  })
}
