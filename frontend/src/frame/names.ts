import type { HeldPost, JurisdictionRef } from '../shared/api/types'
import { usePrefs } from '../shared/prefs'
import { isPostRole } from '../shared/session/roles'

/** Names in the reader's language, where only the session is known. */
export function useNames() {
  const { locale } = usePrefs()
  return {
    area: (a: JurisdictionRef) => (locale.value === 'en' ? a.name_latin || a.name : a.name) || a.code,
  }
}

/** A post in words: the role, and of what. */
export function postWords(
  t: (key: string, values: Record<string, string>) => string,
  areaName: (a: JurisdictionRef) => string,
  post: HeldPost,
): string {
  const role = isPostRole(post.role) ? t(`role.${post.role}`, {}) : post.role
  return post.area ? t('session.post', { role, area: areaName(post.area) }) : role
}
