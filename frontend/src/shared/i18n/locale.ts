export type Locale = 'zh' | 'en'
export const localeTag = { zh: 'zh-CN', en: 'en-GB' } as const
