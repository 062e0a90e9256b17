import { createI18n } from 'vue-i18n'
import baseEn from '../shared/i18n/base.en'
import baseZh from '../shared/i18n/base.zh'
import type { Locale } from '../shared/i18n/locale'
import residentEn from '../shared/i18n/resident.en'
import residentZh from '../shared/i18n/resident.zh'

/** The page's own words: it is opened on slow phones, and those of the other pages would be most of what it weighs. */
export function createResidentMessages(locale: Locale) {
  const zh = { ...baseZh, ...residentZh }
  const en = { ...baseEn, ...residentEn }
  return createI18n({
    legacy: false,
    locale,
    fallbackLocale: false,
    messages: { zh, en } as { zh: typeof zh; en: typeof zh },
    missingWarn: true,
    fallbackWarn: false,
  })
}
