/** What a jurisdiction is called in the reader's language; its code where it has no name. */
export const areaName = (a: { name: string; name_latin?: string; code?: string }, language: string): string =>
  (language === 'en' ? a.name_latin || a.name : a.name) || a.code || ''
