import { createRouter, createWebHistory } from 'vue-router'
import { adminRoutes } from './admin/routes'
import CityList from './CityList.vue'
import CityRoot from './CityRoot.vue'

/** The pages: the list of cities, and a city's map, account and way in. */
export function createPages() {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', component: CityList },
      {
        path: '/:city([a-z][a-z0-9]{1,30})',
        component: CityRoot,
        props: route => ({ code: String(route.params.city) }),
        children: [
          { path: '', name: 'map', component: () => import('./center/CenterPage.vue') },
          { path: 'sign-in', name: 'sign-in', component: () => import('./account/SignInPage.vue') },
          { path: 'account', name: 'account', component: () => import('./account/AccountPage.vue') },
          ...adminRoutes,
          // The other workspaces (frame/workspaces.ts) come here, each under its name.
          { path: ':rest(.*)', redirect: to => `/${String(to.params.city)}` },
        ],
      },
      { path: '/:rest(.*)', redirect: '/' },
    ],
  })
}
