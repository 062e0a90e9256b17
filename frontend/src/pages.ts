import { createRouter, createWebHistory } from 'vue-router'
import CityList from './CityList.vue'

/** The pages: the list of cities, and a city's live map. */
export function createPages() {
  return createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', component: CityList },
      {
        path: '/:city([a-z][a-z0-9]{1,30})',
        component: () => import('./center/CenterPage.vue'),
        props: route => ({ code: String(route.params.city) }),
      },
      { path: '/:rest(.*)', redirect: '/' },
    ],
  })
}
