import { createApp } from 'vue'
import { installWorker } from '../field/install'
import { createPrefs, prefsKey } from '../shared/prefs'
import ReportPage from './ReportPage.vue'
import { createResidentMessages } from './words'
import '../shared/theme/base.css'

// A page of its own, without the others' code: it comes quickly by the poster's code, and again without a line.
const messages = createResidentMessages('zh')
createApp(ReportPage, { code: location.pathname.split('/')[1]! })
  .use(messages)
  .provide(prefsKey, createPrefs(messages))
  .mount('#app')
installWorker('report-worker.js', './report')
