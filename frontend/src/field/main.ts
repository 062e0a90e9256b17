import { createApp } from 'vue'
import { createRouter, createWebHashHistory } from 'vue-router'
import { createPrefs, prefsKey } from '../shared/prefs'
import { createField, fieldKey } from './app'
import FieldApp from './FieldApp.vue'
import { installWorker } from './install'
import { routes } from './routes'
import { createFieldMessages } from './words'
import '../shared/theme/base.css'
import './field.css'

// The address of the page is the city's; what is shown stands behind the #, so that it is one page for the browser and its worker.
const city = location.pathname.split('/')[1]!
const messages = createFieldMessages('zh')
const field = createField(city)
createApp(FieldApp)
  .use(messages)
  .use(createRouter({ history: createWebHashHistory(), routes }))
  .provide(prefsKey, createPrefs(messages))
  .provide(fieldKey, field)
  .mount('#app')
// What is needed now comes first over a thin line; what is for later, when it is there.
void field.start().finally(installWorker)
