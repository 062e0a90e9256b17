import type { ApiError } from '../shared/api/client'

/** Which words tell of an error, and what goes into them. */
export function problemWords(e: ApiError): { key: string; values: Record<string, string | number> } {
  const minutes = Math.max(1, Math.ceil((e.problem.retry_after ?? 60) / 60))
  const code = e.problem.code ?? ''
  const say = (key: string, values: Record<string, string | number> = {}) => ({
    key: `resident.problem.${key}`,
    values,
  })
  if (e.offline) return say('offline')
  switch (code) {
    case 'wrong_code':
    case 'bad_phone':
    case 'bad_email':
    case 'required':
    case 'unknown_item':
    case 'id_taken':
    case 'channel_not_offered':
    case 'key_missing':
      return say(code)
    case 'too_many_codes':
    case 'too_many_reports':
      return say(code, { minutes })
    case 'too_many_requests':
      return say('too_many_reports', { minutes })
  }
  if (['lon', 'lat', 'address', 'accuracy_m'].includes(e.problem.field ?? '')) return say('place')
  return say('other', { status: e.status })
}
