/** Words in the reader's language, or in the other one where nobody has translated them. */
export const inWords = (words: { zh?: string; en?: string } | undefined, language: string): string =>
  (language === 'en' ? words?.en || words?.zh : words?.zh || words?.en) ?? ''

/** What something with a name, and perhaps an English one, is called in the reader's language. */
export const nameIn = (n: { name?: string; name_en?: string } | undefined, language: string): string =>
  inWords({ zh: n?.name, en: n?.name_en }, language)

/** What a jurisdiction is called in the reader's language; its code where it has no name. */
export const areaName = (a: { name: string; name_latin?: string; code?: string }, language: string): string =>
  inWords({ zh: a.name, en: a.name_latin }, language) || a.code || ''
