import { computed, type InjectionKey, inject, ref, watchEffect } from 'vue'
import type { Locale } from './i18n/locale'
import { localeTag } from './i18n/locale'
import { applyPalette, dark, light } from './theme/tokens'

/** The reader's own choices: language and colours. They belong to the reader, not to the link, and so stay out of the URL. */
export type Prefs = ReturnType<typeof createPrefs>
const key: InjectionKey<Prefs> = Symbol('prefs')
export const prefsKey = key

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`gridgov.${name}`)
  } catch {
    return null
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`gridgov.${name}`, value)
  } catch {
    // Storage is refused in private windows; the choice then lasts as long as the page.
  }
}

/** Of the messages only their language is its business. */
export function createPrefs(messages: { global: { locale: { value: Locale } } }) {
  const locale = ref<Locale>(kept('locale') === 'en' ? 'en' : 'zh')
  const system = matchMedia('(prefers-color-scheme: dark)')
  const systemDark = ref(system.matches)
  system.addEventListener('change', e => {
    systemDark.value = e.matches
  })
  const own = ref(kept('theme'))
  const theme = computed<'light' | 'dark'>(() =>
    own.value === 'dark' || own.value === 'light' ? own.value : systemDark.value ? 'dark' : 'light',
  )
  // Paper is white: what is printed is in the light colours.
  const printing = ref(false)
  addEventListener('beforeprint', () => {
    printing.value = true
  })
  addEventListener('afterprint', () => {
    printing.value = false
  })
  const paper = matchMedia('print')
  paper.addEventListener('change', e => {
    printing.value = e.matches
  })
  const palette = computed(() => (theme.value === 'dark' && !printing.value ? dark : light))

  watchEffect(() => {
    messages.global.locale.value = locale.value
    document.documentElement.lang = localeTag[locale.value]
  })
  // At once: the sheet is taken before anything that waits its turn.
  watchEffect(
    () => {
      const root = document.documentElement
      applyPalette(palette.value, root.style)
      root.style.colorScheme = printing.value ? 'light' : theme.value
    },
    { flush: 'sync' },
  )

  return {
    locale,
    theme,
    palette,
    /** The page is being put on paper. */
    printing,
    switchLocale() {
      locale.value = locale.value === 'zh' ? 'en' : 'zh'
      keep('locale', locale.value)
    },
    switchTheme() {
      own.value = theme.value === 'dark' ? 'light' : 'dark'
      keep('theme', own.value)
    },
  }
}

export function usePrefs(): Prefs {
  const prefs = inject(key)
  if (!prefs) throw new Error('preferences are provided by main.ts')
  return prefs
}
