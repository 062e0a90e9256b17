import type { RouteRecordRaw } from 'vue-router'
import CardPage from './card/CardPage.vue'
import HomePage from './home/HomePage.vue'
import OutboxPage from './outbox/OutboxPage.vue'
import PatrolPage from './patrol/PatrolPage.vue'
import ReportPage from './report/ReportPage.vue'
import TaskPage from './tasks/TaskPage.vue'
import TasksPage from './tasks/TasksPage.vue'

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: HomePage },
  { path: '/report', name: 'report', component: ReportPage },
  { path: '/outbox', name: 'outbox', component: OutboxPage },
  { path: '/tasks', name: 'tasks', component: TasksPage },
  { path: '/tasks/:ref', name: 'task', component: TaskPage },
  { path: '/patrol', name: 'patrol', component: PatrolPage },
  { path: '/card', name: 'card', component: CardPage },
  { path: '/:rest(.*)', redirect: '/' },
]
