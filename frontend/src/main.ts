import { createApp } from 'vue'
import PageRoot from './PageRoot.vue'
import { createPages } from './pages'
import { createMessages } from './shared/i18n'
import { createPrefs, prefsKey } from './shared/prefs'
import './shared/theme/base.css'

const messages = createMessages('zh')
createApp(PageRoot).use(messages).use(createPages()).provide(prefsKey, createPrefs(messages)).mount('#app')
