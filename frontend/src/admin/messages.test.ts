import { describe, expect, it } from 'vitest'
import { fieldKey, fromForm, headersOf, toForm } from './messages'

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
})
