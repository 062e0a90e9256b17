import type { ApiError } from '../shared/api/client'
import type { MessageSettings } from '../shared/api/types'

/** How messages are sent, as it stands in the form: all of it is text. */
export interface MessageForm {
  open: boolean
  smtpOn: boolean
  host: string
  port: string
  tls: 'starttls' | 'tls' | 'none'
  user: string
  password: string
  hasPassword: boolean
  from: string
  smsOn: boolean
  url: string
  method: 'POST' | 'PUT'
  /** NAME: VALUE, one a line; a name alone for a value that is kept. */
  headers: string
  body: string
  expect: string
}

const aBody = '{"to": {{json .To}}, "text": {{json .Text}}}'

export function toForm(s: MessageSettings): MessageForm {
  return {
    open: s.resident_reports,
    smtpOn: s.smtp !== undefined,
    host: s.smtp?.host ?? '',
    port: String(s.smtp?.port ?? 587),
    tls: s.smtp?.tls ?? 'starttls',
    user: s.smtp?.user ?? '',
    password: '',
    hasPassword: s.smtp?.has_password ?? false,
    from: s.smtp?.from ?? '',
    smsOn: s.sms !== undefined,
    url: s.sms?.url ?? '',
    method: s.sms?.method ?? 'POST',
    headers: (s.sms?.headers ?? []).map(h => h.name).join('\n'),
    body: s.sms?.body ?? aBody,
    expect: s.sms?.expect ?? '',
  }
}

export function fromForm(f: MessageForm): MessageSettings {
  const out: MessageSettings = { resident_reports: f.open }
  if (f.smtpOn) {
    out.smtp = {
      host: f.host.trim(),
      port: Number.parseInt(f.port, 10) || 0,
      tls: f.tls,
      from: f.from.trim(),
      ...(f.user.trim() ? { user: f.user.trim() } : {}),
      ...(f.password ? { password: f.password } : {}),
    }
  }
  if (f.smsOn) {
    out.sms = { url: f.url.trim(), method: f.method, body: f.body, headers: headersOf(f.headers) }
    if (f.expect.trim()) out.sms.expect = f.expect.trim()
  }
  return out
}

/** A line without a colon names a header whose value stays as it is. */
export function headersOf(text: string): { name: string; value?: string }[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)
    .map(line => {
      const at = line.indexOf(':')
      const value = line.slice(at + 1).trim()
      return at < 0 || !value ? { name: line.replace(/:$/, '').trim() } : { name: line.slice(0, at).trim(), value }
    })
}

/** The label of a field that the server refused, as a message's key. */
export function fieldKey(field: string): string | null {
  const [part, name] = field.split('.')
  const known: Record<string, Record<string, string>> = {
    smtp: { host: 'host', port: 'port', tls: 'encryption', user: 'user', password: 'password', from: 'from' },
    sms: { url: 'url', method: 'method', headers: 'headers', body: 'body', expect: 'expect' },
  }
  const key = known[part ?? '']?.[name ?? '']
  return key ? `messages.${key}` : null
}

/** Reports are taken, and no code can be sent. A demo's codes go to its outbox. */
export const unheard = (f: MessageForm, demo: boolean): boolean => f.open && !f.smtpOn && !f.smsOn && !demo

/** The words that say why a field was refused and what to do, by what the service answers for it. */
export const refusals: Readonly<Record<string, string>> = {
  'smtp.host bad_host': 'bad_host',
  'smtp.host bad_text': 'bad_text',
  'smtp.port out_of_range': 'bad_port',
  'smtp.tls unknown_value': 'bad_encryption',
  'smtp.tls not_encrypted': 'smtp_not_encrypted',
  'smtp.user bad_text': 'bad_text',
  'smtp.password bad_text': 'bad_text',
  'smtp.password required': 'password_again',
  'smtp.from bad_text': 'bad_text',
  'smtp.from bad_email': 'bad_sender',
  'sms.url bad_url': 'bad_url',
  'sms.url not_encrypted': 'sms_not_encrypted',
  'sms.method unknown_value': 'bad_method',
  'sms.headers too_many': 'too_many',
  'sms.headers bad_header': 'bad_header',
  'sms.headers required': 'values_again',
  'sms.body bad_template': 'bad_template',
  'sms.expect too_long': 'too_long',
}
const general = ['key_missing', 'not_allowed', 'channel_not_offered'] as const

/** Why settings were not kept or not read, as a message's key; null: there are no words for it. */
export function whyKey(e: ApiError): string | null {
  const { code = '', field = '' } = e.problem
  const key = refusals[`${field} ${code}`] ?? general.find(g => g === code)
  return key ? `messages.fault.${key}` : null
}

/** What goes into those words: nothing of it is of a language. */
export const examples = {
  host: 'smtp.example.com',
  sender: 'grid@example.com',
  url: 'https://sms.example.com/send',
  https: 'https',
  json: 'JSON',
  to: '{{json .To}}',
  text: '{{json .Text}}',
  query: '{{query .Text}}',
  xml: '{{xml .Text}}',
  n: 20,
} as const
