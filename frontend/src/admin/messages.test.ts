import { describe, expect, it } from 'vitest'
import { ApiError } from '../shared/api/client'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import { examples, fieldKey, fromForm, headersOf, refusals, toForm, unheard, whyKey } from './messages'

const kept = {
  resident_reports: true,
  smtp: { host: 'smtp.example.com', port: 465, tls: 'tls', user: 'grid', has_password: true, from: 'grid@example.com' },
  sms: { url: 'https://sms.example.com', method: 'PUT', headers: [{ name: 'X-Key' }], body: '{}', expect: 'ok' },
} as const

describe('the form of messages', () => {
  it('sends settings back as they came, without secrets that are kept', () => {
    const { has_password, ...smtp } = kept.smtp
    expect(has_password).toBe(true)
    expect(fromForm(toForm(structuredClone(kept) as never))).toEqual({ ...kept, smtp })
  })
  it('leaves out what is switched off', () => {
    expect(fromForm({ ...toForm(structuredClone(kept) as never), smtpOn: false, smsOn: false })).toEqual({
      resident_reports: true,
    })
    expect(fromForm(toForm({ resident_reports: false }))).toEqual({ resident_reports: false })
  })
  it('tells where nobody can report, as no code can be sent', () => {
    const form = toForm({ resident_reports: true })
    expect(unheard(form, false)).toBe(true)
    expect(unheard(form, true)).toBe(false)
    expect(unheard({ ...form, smsOn: true }, false)).toBe(false)
    expect(unheard({ ...form, open: false }, false)).toBe(false)
  })
  it('reads headers', () => {
    expect(headersOf('Authorization: Bearer a:b\n\n X-Key \nX-Old:\n')).toEqual([
      { name: 'Authorization', value: 'Bearer a:b' },
      { name: 'X-Key' },
      { name: 'X-Old' },
    ])
  })
  it('names fields that were refused', () => {
    expect(fieldKey('smtp.tls')).toBe('messages.encryption')
    expect(fieldKey('sms.headers')).toBe('messages.headers')
    expect(fieldKey('smtp.constructor')).not.toBe('messages.host')
    expect(fieldKey('id')).toBeNull()
  })
  it('says why it was refused and what to do', () => {
    const why = (code: string, field?: string) => whyKey(new ApiError(400, { code, field }))
    expect(why('not_encrypted', 'smtp.tls')).toBe('messages.fault.smtp_not_encrypted')
    expect(why('not_encrypted', 'sms.url')).toBe('messages.fault.sms_not_encrypted')
    expect(why('key_missing')).toBe('messages.fault.key_missing')
    expect(why('invalid_json')).toBeNull()
    expect(why('constructor')).toBeNull()
    for (const words of [zh.messages.fault, en.messages.fault] as Record<string, string>[]) {
      for (const [answer, key] of Object.entries(refusals)) {
        expect(words[key], answer).toBeTruthy()
        expect(fieldKey(answer.split(' ')[0]!), answer).not.toBeNull()
      }
      for (const text of Object.values(words))
        for (const [, hole] of text.matchAll(/\{(\w+)\}/g)) expect(examples).toHaveProperty(hole!)
    }
  })
})
