import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { ApiError } from '../shared/api/client'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import { mailLink, phoneLink, reasonFault, told, unmaskFault, useBriefly } from './reporter'

describe('who told a report', () => {
  it.each([
    [undefined, 'nobody'],
    [{ known: false }, 'nobody'],
    [{ known: false, erased: true }, 'erased'],
    [{ known: true }, 'sealed'],
    [{ known: true, name: '王**' }, 'masked'],
    [{ known: true, phone: '138****1234' }, 'masked'],
    [{ known: true, email: 'x***@example.com' }, 'masked'],
    [{ known: true, home: true }, 'masked'],
  ] as const)('is of %o: %s', (m, want) => expect(told(m)).toBe(want))

  it('is called and written to', () => {
    expect(phoneLink('+86 138 0573-1234')).toBe('tel:+8613805731234')
    expect(mailLink('x@example.com')).toBe('mailto:x@example.com')
    expect(mailLink('x?bcc=y@example.com')).toBe('mailto:x%3Fbcc%3Dy@example.com')
  })
})

describe('the reason', () => {
  it.each([
    ['', 'required'],
    ['  问  ', 'required'],
    ['回电话', null],
    ['𠮷'.repeat(2), 'required'],
    ['𠮷'.repeat(500), null],
    [` ${'x'.repeat(500)} `, null],
    ['x'.repeat(501), 'too_long'],
  ])('%s', (reason, want) => expect(reasonFault(reason)).toBe(want))
})

describe('why a person was not shown', () => {
  const refused = (status: number, code?: string) => unmaskFault(new ApiError(status, code ? { code } : {}))
  const codes = ['required', 'too_long', 'key_missing', 'person_erased', 'not_allowed'] as const
  it.each(codes)('is said in both languages: %s', code => {
    expect(refused(400, code)).toBe(code)
    expect(zh.reporter.problem[code]).not.toBe(zh.reporter.problem.other)
    expect(en.reporter.problem[code]).not.toBe(en.reporter.problem.other)
  })

  it('may be that no answer came, or something else', () => {
    expect(refused(0)).toBe('offline')
    expect(refused(500)).toBe('other')
    expect(refused(404, 'not_found')).toBe('other')
  })
})

describe('what is shown briefly', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const given = () => {
    const over = vi.fn()
    const scope = effectScope()
    return { over, scope, shown: scope.run(() => useBriefly<string>(120_000, over))! }
  }

  it('goes by itself', () => {
    const { shown, over } = given()
    shown.show('王小明')
    vi.advanceTimersByTime(119_000)
    expect(shown.value.value).toBe('王小明')
    vi.advanceTimersByTime(1000)
    expect(shown.value.value).toBeNull()
    expect(over).toHaveBeenCalledOnce()
  })

  it('goes as soon as a machine wakes that slept', () => {
    const { shown } = given()
    shown.show('王小明')
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(1000)
    expect(shown.value.value).toBeNull()
  })

  it('is hidden at once, and with its scope', () => {
    const { shown, over, scope } = given()
    shown.show('王小明')
    shown.hide()
    expect(shown.value.value).toBeNull()
    shown.show('王小明')
    scope.stop()
    expect(shown.value.value).toBeNull()
    vi.advanceTimersByTime(300_000)
    expect(over).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has its whole time anew when it is shown anew', () => {
    const { shown } = given()
    shown.show('a')
    vi.advanceTimersByTime(100_000)
    shown.show('b')
    vi.advanceTimersByTime(100_000)
    expect(shown.value.value).toBe('b')
  })
})
