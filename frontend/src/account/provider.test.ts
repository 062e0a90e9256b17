import { describe, expect, it } from 'vitest'
import { toldOf, wayOf } from './provider'

describe('what the address says', () => {
  it.each([
    ['oidc_refused', 'signIn.provider.oidc_refused'],
    ['account_disabled', 'signIn.provider.account_disabled'],
    ['or', 'signIn.provider.oidc_refused'],
    ['constructor', 'signIn.provider.oidc_refused'],
    [['oidc_expired'], 'signIn.provider.oidc_refused'],
    ['', null],
    [undefined, null],
  ])('%s', (error, key) => expect(toldOf(error)).toBe(key))
})

describe('the way to the provider', () => {
  it.each([
    [undefined, '/haining/v1/session/oidc'],
    ['/haining/account?a=1', '/haining/v1/session/oidc?to=%2Fhaining%2Faccount%3Fa%3D1'],
    ['//evil.example', '/haining/v1/session/oidc'],
    ['/dc', '/haining/v1/session/oidc'],
  ])('%s', (next, way) => expect(wayOf('haining', next)).toBe(way))
})
