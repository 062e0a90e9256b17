import type { IdentityProvider, IdentityProviderChange } from './types'

/** The city's identity provider as it stands in the form: lists are words parted by blanks. */
export interface ProviderForm {
  issuer: string
  clientId: string
  secret: string
  name: string
  nameEn: string
  claim: string
  linkEmail: boolean
  scopes: string
  mfa: string
}

/** The fields that the service may find something wrong with. */
export const providerFields = ['issuer', 'client_id', 'client_secret', 'name', 'name_en', 'claim', 'scopes', 'mfa']

const usualClaim = 'sub'
/** What the button says at first, in both languages, whichever the page is in: as the command line has it. */
const usualNames = { name: '统一身份认证', nameEn: 'City account' }

/** Which scopes are asked for where none are named. */
const usualScopes = (linkEmail: boolean) => (linkEmail ? 'email' : '')

/** What the service takes where a field is empty shows as empty, so that it goes on to follow the others. */
export function toForm(p?: IdentityProvider): ProviderForm {
  const scopes = p?.scopes.join(' ') ?? ''
  return {
    issuer: p?.issuer ?? '',
    clientId: p?.client_id ?? '',
    secret: '',
    name: p?.name ?? usualNames.name,
    nameEn: p?.name_en ?? usualNames.nameEn,
    claim: p && p.claim !== usualClaim ? p.claim : '',
    linkEmail: p?.link_email ?? false,
    scopes: scopes === usualScopes(p?.link_email ?? false) ? '' : scopes,
    mfa: p?.mfa.join(' ') ?? '',
  }
}

const words = (text: string) => text.split(/\s+/).filter(Boolean)

export function fromForm(f: ProviderForm): IdentityProviderChange {
  return {
    issuer: f.issuer.trim(),
    client_id: f.clientId.trim(),
    name: f.name.trim(),
    name_en: f.nameEn.trim(),
    link_email: f.linkEmail,
    mfa: words(f.mfa),
    ...(f.secret ? { client_secret: f.secret } : {}),
    ...(f.claim.trim() ? { claim: f.claim.trim() } : {}),
    ...(f.scopes.trim() ? { scopes: words(f.scopes) } : {}),
  }
}

/** Whether the secret that is kept will do: a secret is not shown to another issuer. */
export const keepsSecret = (f: ProviderForm, p: IdentityProvider | undefined): boolean =>
  p?.has_secret === true && p.issuer === f.issuer.trim()
