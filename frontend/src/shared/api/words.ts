/**
 * The server's own words about an error where they are in the reader's language, else null: a page in one language shows
 * no sentence in the other.
 */
export function serverWords(e: { problem: { detail?: string } }, locale: 'zh' | 'en'): string | null {
  const detail = e.problem.detail?.trim()
  if (!detail) return null
  const han = /\p{Script=Han}/u.test(detail)
  return han === (locale === 'zh') ? detail : null
}
