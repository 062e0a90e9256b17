import { createI18n } from 'vue-i18n'
import actsEn from '../shared/i18n/acts.en'
import actsZh from '../shared/i18n/acts.zh'
import baseEn from '../shared/i18n/base.en'
import baseZh from '../shared/i18n/base.zh'
import fieldEn from '../shared/i18n/field.en'
import fieldZh from '../shared/i18n/field.zh'
import type { Locale } from '../shared/i18n/locale'

/** The app's own words: those of the other pages would be half of what it weighs. */
export function createFieldMessages(locale: Locale) {
  const zh = { ...baseZh, ...fieldZh, matter: actsZh }
  const en = { ...baseEn, ...fieldEn, matter: actsEn }
  return createI18n({
    legacy: false,
    locale,
    fallbackLocale: false,
    messages: { zh, en } as { zh: typeof zh; en: typeof zh },
    missingWarn: true,
    fallbackWarn: false,
  })
}
