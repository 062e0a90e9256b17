import { describe, expect, it } from 'vitest'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import { fromForm, keepsSecret, toForm } from './providers'
import type { IdentityProvider } from './types'

const kept: IdentityProvider = {
  issuer: 'https://id.example.org/realms/city',
  client_id: 'gridgov',
  has_secret: true,
  name: '统一认证',
  name_en: 'Card',
  claim: 'staff',
  link_email: true,
  scopes: ['email', 'profile'],
  mfa: ['mfa', 'gold'],
}

describe('the form of the identity provider', () => {
  it('sends a provider back as it came, without the secret', () => {
    const { has_secret, ...rest } = kept
    expect(has_secret).toBe(true)
    expect(fromForm(toForm(kept))).toEqual(rest)
  })

  it('leaves to the service what is as usual', () => {
    const usual = { ...kept, claim: 'sub', scopes: ['email'], mfa: [] }
    const form = toForm(usual)
    expect(form.scopes).toBe('')
    expect(fromForm({ ...form, linkEmail: false })).toEqual({
      issuer: kept.issuer,
      client_id: 'gridgov',
      name: '统一认证',
      name_en: 'Card',
      link_email: false,
      mfa: [],
    })
  })

  it('begins with names for the button', () => {
    expect(toForm()).toMatchObject({ issuer: '', name: '统一身份认证', nameEn: 'City account' })
  })

  it('trims what was pasted, but not a secret', () => {
    const form = { ...toForm(), issuer: ' https://id ', clientId: ' a ', secret: ' s ', scopes: ' a\tb ' }
    expect(fromForm(form)).toMatchObject({
      issuer: 'https://id',
      client_id: 'a',
      client_secret: ' s ',
      scopes: ['a', 'b'],
    })
  })

  it('keeps the secret for the same issuer alone', () => {
    const form = toForm(kept)
    expect(keepsSecret(form, kept)).toBe(true)
    expect(keepsSecret({ ...form, issuer: `${kept.issuer}/` }, kept)).toBe(false)
    expect(keepsSecret(form, { ...kept, has_secret: false })).toBe(false)
    expect(keepsSecret(form, undefined)).toBe(false)
  })
})

describe('the words of these pages', () => {
  it.each([
    'last_administrator',
    'bad_issuer',
    'bad_button',
    'bad_claim',
    'bad_scope',
    'too_many',
    'too_long',
    'required',
    'key_missing',
    'no_provider',
    'bad_subject',
    'identity_taken',
    'not_a_person',
    'demo_account',
  ] as const)('tell of %s in both languages', code => {
    expect([zh.adminFault[code], en.adminFault[code]].every(Boolean)).toBe(true)
  })

  it.each(['provider_no_answer', 'provider_another_issuer', 'provider_bad_metadata'] as const)(
    'say what to do about %s',
    code => {
      expect([zh.provider.check[code], en.provider.check[code]].every(Boolean)).toBe(true)
    },
  )
})
