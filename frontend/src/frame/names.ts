import type { HeldPost } from '../shared/api/types'
import { areaName } from '../shared/i18n/names'
import { isPostRole } from '../shared/session/roles'

/** A post in words: the role, and of what. */
export function postWords(
  t: (key: string, values: Record<string, string>) => string,
  language: string,
  post: HeldPost,
): string {
  const role = isPostRole(post.role) ? t(`role.${post.role}`, {}) : post.role
  return post.area ? t('session.post', { role, area: areaName(post.area, language) }) : role
}
