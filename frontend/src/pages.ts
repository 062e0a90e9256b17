import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'
import { adminRoutes } from './admin/routes'
import CityList from './CityList.vue'
import CityRoot from './CityRoot.vue'
import { matterRoutes } from './matter/routes'
import { regimeRoutes } from './regime/routes'
import { teamRoutes } from './team/routes'

const city = '/:city([a-z][a-z0-9]{1,30})'
const code = (route: RouteLocationNormalized) => ({ code: String(route.params.city) })

/** The pages: the list of cities, a city's map, account and way in, and what residents see. */
export function createPages() {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', component: CityList },
      // Other pages, each with its own worker: whoever comes to them by way of this one is sent on.
      ...[`${city}/field/:rest(.*)*`, `${city}/report`].map(path => ({
        path,
        component: { render: () => null },
        beforeEnter(to: RouteLocationNormalized) {
          location.replace(to.fullPath)
          return false
        },
      })),
      {
        path: city,
        component: CityRoot,
        props: code,
        children: [
          { path: '', name: 'map', component: () => import('./center/CenterPage.vue') },
          { path: 'sign-in', name: 'sign-in', component: () => import('./account/SignInPage.vue') },
          { path: 'account', name: 'account', component: () => import('./account/AccountPage.vue') },
          { path: 'queue', name: 'queue', component: () => import('./queue/QueuePage.vue') },
          { path: 'hotspots', name: 'hotspots', component: () => import('./hotspots/HotspotsPage.vue') },
          { path: 'patrols', name: 'patrols', component: () => import('./patrols/PatrolsPage.vue') },
          ...matterRoutes,
          ...teamRoutes,
          ...regimeRoutes,
          ...adminRoutes,
          // The other workspaces (frame/workspaces.ts) come here, each under its name.
          { path: ':rest(.*)', redirect: to => `/${String(to.params.city)}` },
        ],
      },
      // For anybody, signed in or not. The link's secret is the fragment of /r, which no server sees.
      { path: `${city}/one-stop`, component: () => import('./resident/OneStopPage.vue'), props: code },
      {
        path: `${city}/poster/:village([^/]{1,64})`,
        component: () => import('./resident/PosterPage.vue'),
        props: route => ({ ...code(route), village: String(route.params.village) }),
      },
      { path: `${city}/r`, component: () => import('./resident/FollowPage.vue'), props: code },
      { path: `${city}/outbox`, component: () => import('./outbox/OutboxPage.vue'), props: code },
      { path: '/:rest(.*)', redirect: '/' },
    ],
  })
}
