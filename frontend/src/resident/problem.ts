import type { Answer } from '../field/outbox/exchange'

/** An answer that is not the one asked for. */
export type Trouble = Exclude<Answer, { is: 'ok' }>

/** Which words tell of it, and what goes into them. */
export function problemWords(e: Trouble): { key: string; values: Record<string, string | number> } {
  const say = (key: string, values: Record<string, string | number> = {}) => ({
    key: `resident.problem.${key}`,
    values,
  })
  if (e.is === 'none') return say('offline')
  const minutes = Math.max(1, Math.ceil((e.afterMs ?? 60_000) / 60_000))
  switch (e.code) {
    case 'wrong_code':
    case 'bad_phone':
    case 'bad_email':
    case 'required':
    case 'unknown_item':
    case 'channel_not_offered':
    case 'key_missing':
      return say(e.code)
    case 'too_many_codes':
    case 'too_many_reports':
      return say(e.code, { minutes })
    case 'too_many_requests':
      return say('too_many_reports', { minutes })
  }
  if (e.field?.startsWith('photos') || e.code === 'no_photo_store') return say('photos')
  if (e.code === 'id_taken') return say('id_taken')
  if (['lon', 'lat', 'address', 'accuracy_m'].includes(e.field ?? '')) return say('place')
  return e.status === 401 || e.status === 403 ? say('closed') : say('other', { status: e.status })
}
