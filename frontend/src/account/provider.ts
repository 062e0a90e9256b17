import { wayBack } from '../shared/session/way'

/** What the service says in the address of the sign-in page of somebody who was not let in by the identity provider. */
const told = [
  'oidc_refused',
  'oidc_expired',
  'oidc_unknown_person',
  'oidc_provider_down',
  'account_disabled',
  'too_many_attempts',
] as const

/** The message's key; what is none of the service's words is a refusal without more, null that there was none. */
export function toldOf(error: unknown): `signIn.provider.${(typeof told)[number]}` | null {
  if (error === undefined || error === null || error === '') return null
  return `signIn.provider.${told.find(c => c === error) ?? 'oidc_refused'}`
}

/** The address of the way to the provider and back to the page that was wanted. */
export function wayOf(city: string, next: unknown): string {
  const to = wayBack(next, city)
  return `/${city}/v1/session/oidc${to ? `?to=${encodeURIComponent(to)}` : ''}`
}
