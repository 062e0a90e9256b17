import { createI18n } from 'vue-i18n'
import en from './en'
import type { Locale } from './locale'
import zh from './zh'

export { type Locale, localeTag } from './locale'

export function createMessages(locale: Locale) {
  return createI18n({
    legacy: false,
    locale,
    fallbackLocale: false,
    // Names and numbers are put into text, never into HTML.
    messages: { zh, en } as { zh: typeof zh; en: typeof zh },
    missingWarn: true,
    fallbackWarn: false,
  })
}
