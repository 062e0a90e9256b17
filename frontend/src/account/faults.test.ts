import { describe, expect, it } from 'vitest'
import { ApiError } from '../shared/api/client'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import { faultOf, lengthOf } from './faults'

const texts = (key: string) =>
  [zh, en].map(m => key.split('.').reduce<unknown>((tree, part) => (tree as Record<string, unknown>)?.[part], m))

describe('a fault of the account', () => {
  it.each([
    ['wrong_password', 'current'],
    ['too_short', 'new'],
    ['too_long', 'new'],
    ['holds_login', 'new'],
    ['common_password', 'new'],
    ['bad_characters', 'new'],
    ['same_password', 'new'],
    ['wrong_code', 'code'],
    ['too_many_attempts', null],
    ['demo_account', null],
    ['key_missing', null],
    ['stale', null],
    ['totp_on', null],
    ['totp_off', null],
  ])('%s is told at: %s', (code, field) => {
    const fault = faultOf(new ApiError(400, { code }))
    expect(fault.field).toBe(field)
    expect(texts(fault.text).every(text => typeof text === 'string')).toBe(true)
  })

  it('that is none of these is told as it is', () => {
    expect(faultOf(new ApiError(500, {}))).toEqual({ text: 'error.unknown', values: { status: 500 }, field: null })
    expect(faultOf(new ApiError(0, {})).text).toBe('error.offline')
  })
})

describe('the length of a password', () => {
  it.each([
    ['', 0],
    ['四个词语组成的口令够长', 11],
    ['👍👍', 2],
    ['ﬁ', 2],
  ])('%s has %d characters', (password, n) => expect(lengthOf(password)).toBe(n))
})
