import type { ApiError } from '../shared/api/client'

/** The service's faults of one's own account that the page has words for, and the field each is told at. */
const faults: Record<string, { text: string; field: 'current' | 'new' | 'code' | null }> = {
  wrong_password: { text: 'fault.wrong_password', field: 'current' },
  too_short: { text: 'fault.too_short', field: 'new' },
  too_long: { text: 'fault.too_long', field: 'new' },
  holds_login: { text: 'fault.holds_login', field: 'new' },
  common_password: { text: 'fault.common_password', field: 'new' },
  bad_characters: { text: 'fault.bad_characters', field: 'new' },
  same_password: { text: 'fault.same_password', field: 'new' },
  wrong_code: { text: 'fault.wrong_code', field: 'code' },
  too_many_attempts: { text: 'fault.too_many_attempts', field: null },
  demo_account: { text: 'fault.demo_account', field: null },
  key_missing: { text: 'fault.key_missing', field: null },
  totp_on: { text: 'fault.stale', field: null },
  totp_off: { text: 'fault.stale', field: null },
  stale: { text: 'fault.stale', field: null },
}

export interface Fault {
  text: string
  values: Record<string, number>
  field: 'current' | 'new' | 'code' | null
}

/** An error as a message's key, the values in it, and the field it belongs to. */
export function faultOf(e: ApiError): Fault {
  if (e.offline) return { text: 'error.offline', values: {}, field: null }
  const known = faults[e.problem.code ?? '']
  if (!known) return { text: 'error.unknown', values: { status: e.status }, field: null }
  return { ...known, values: { n: e.problem.retry_after ?? 60 } }
}

/** How many characters a password has at least, as the service asks. */
export const shortest = 12
/** As the service counts: characters, not code units. */
export const lengthOf = (password: string): number => [...password.normalize('NFKC')].length
