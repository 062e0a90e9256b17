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
