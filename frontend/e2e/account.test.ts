import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'
import { totp } from './totp'

let d: Driver
beforeAll(async () => {
  d = await Driver.start()
  await d.when.change('/settings', { public_map: false }) // a demo's is open, until the last of these
})
afterAll(async () => {
  await d?.when.change('/settings', { public_map: true })
  await d?.stop()
})

const phone = { width: 390, height: 844 }
const password = 'maple trams hum quietly'
const atSignIn = async () => (await d.get.path()) === '/haining/sign-in' && (await d.get.seen('sign-in-form'))
const home = (title: string) => async () => (await d.get.seen('home')) && (await d.get.text('home')) === title

/** A person with a password of their own. */
async function member(login: string) {
  const given = await d.given.account(login)
  await d.given.visit('/haining/sign-in')
  await d.when.signIn(login, given)
  await d.sees('the password form', () => d.get.seen('password-form'))
  await d.when.type('current-password', given)
  await d.when.type('new-password', password)
  await d.when.type('again-password', password)
  await d.when.click('save-password')
  await d.sees('it is changed', () => d.get.seen('password-saved'))
}

describe('the way in', () => {
  // Where no area is named the map shows the whole city.
  it.each([
    ['resident', '我的上报', null],
    ['volunteer', '我的上报', null],
    ['microgrid_leader', '我的网格', 'microgrid'],
    ['grid_leader', '我的网格', 'grid'],
    ['grid_worker', '我的网格', 'grid'],
    ['auxiliary', '我队辖区', 'town'],
    ['officer', '我队辖区', 'town'],
    ['unit_member', '本部门事项', null],
    ['unit_head', '我队辖区', 'town'],
    ['duty_leader', '我队辖区', 'town'],
    ['village_secretary', '我的村社', 'village'],
    ['stationed_officer', '我的村社', 'village'],
    ['desk', '实时地图', 'city'],
    ['centre_head', '实时地图', 'city'],
    ['planner', '网格与界线', 'city'],
    ['committee', '逐月热度', 'town'],
    ['town_leader', '逐月热度', 'town'],
    ['pro_bono_lawyer', '我的上报', null],
    ['mediator', '我的上报', null],
  ] as const)('leads %s home: %s, %s', async (role, title, level) => {
    await d.given.visit('/haining')
    await d.sees('the demo accounts', () => d.get.seen(`demo-${role}`))
    await d.when.click(`demo-${role}`)
    if (role === 'desk') {
      await d.sees('what waits for the desk', async () => (await d.get.path()) === '/haining/queue')
      await d.when.click('workspace-map')
    }
    await d.sees('the home', home(title))
    expect(await d.get.path()).toBe('/haining')
    const { posts, allowed } = await d.get.session()
    const [post] = posts
    if (level) expect(post.area.level).toBe(level)
    if (level && level !== 'city') expect(await d.get.text('home-place')).toContain(post.area.name)
    const [west, south, east, north] = level ? post.bbox : [120.3, 30.26, 120.85, 30.6]
    await d.sees('its territory, all of it and not much else', async () => {
      const box = await d.get.box()
      const fits = box.length === 4 && box[0]! <= west + 0.01 && box[1]! <= south + 0.01 && box[2]! >= east - 0.01
      return (
        fits &&
        box[3]! >= north - 0.01 &&
        Math.min((box[2]! - box[0]!) / (east - west), (box[3]! - box[1]!) / (north - south)) < 2
      )
    })
    if (level) await d.sees('the time bar', () => d.get.seen('histogram'))
    if (level && ['city', 'town', 'village'].includes(level) && role !== 'planner')
      await d.sees('the heat', async () => (await d.get.seen('legend')) && /\d/.test(await d.get.text('legend')))
    expect(await d.get.seen('map-warning')).toBe(false)
    expect(await d.get.seen('file')).toBe(allowed.includes('report.file'))
    expect(await d.get.seen('histogram')).toBe(level !== null)
    expect(await d.get.seen('tab-unplaced')).toBe(['desk', 'centre_head'].includes(role))
    expect(d.complaints.filter(c => c.includes('policy'))).toEqual([])
  })

  it('leads an administrator to people, with the map a step away', async () => {
    await d.given.visit('/haining')
    await d.sees('the demo accounts', () => d.get.seen('demo-administrator'))
    await d.when.click('demo-administrator')
    await d.sees('the people', async () => (await d.get.path()) === '/haining/people' && (await d.get.seen('people')))
    await d.when.click('workspace-map')
    await d.sees('the map', home('实时地图'))
    await d.sees('the whole city', async () => (await d.get.box())[0]! < 120.31)
  })

  it('stands before everything, and keeps where one wanted to go', async () => {
    await d.given.visit('/haining?sel=town:330481103')
    await d.sees('the sign-in page', atSignIn)
    expect(await d.get.text('sign-in-city')).toContain('海宁')
    expect(await d.get.focused()).toBe('login')
    await d.when.signIn('desk')
    await d.sees('the town', async () => (await d.get.query()).get('sel') === 'town:330481103')
    await d.sees('it is open', async () => (await d.get.text('area-code')) === '330481103')
  })

  it.each(['//example.org/haining', '/\\example.org', 'https://example.org', '/dc', '/haining/v1/session'])(
    'leads to no other place: %s',
    async next => {
      await d.given.visit(`/haining/sign-in?next=${encodeURIComponent(next)}`)
      await d.sees('the sign-in page', atSignIn)
      await d.when.signIn('centre_head')
      await d.sees('the home', home('实时地图'))
      expect([await d.get.host(), await d.get.path()]).toEqual([d.get.home(), '/haining'])
    },
  )

  it('says that a password is wrong, and lets one try again', async () => {
    await d.given.visit('/haining/sign-in')
    await d.sees('the sign-in page', atSignIn)
    await d.when.signIn('desk', 'not the password')
    await d.sees('a word about it', async () => (await d.get.text('sign-in-problem')).includes('账号或密码不对'))
    expect(await d.get.focused()).toBe('password')
    await d.when.signIn('nobody-of-this-name', 'not the password')
    await d.sees('the same word', async () => (await d.get.text('sign-in-problem')).includes('账号或密码不对'))
    await d.when.signIn('desk')
    await d.sees(
      'what waits for the desk',
      async () => (await d.get.path()) === '/haining/queue' && (await d.get.seen('queue')),
    )
  })

  it('counts the seconds for who guesses too often', async () => {
    await d.given.account('guessed')
    await d.given.visit('/haining/sign-in', { locale: 'en' })
    await d.sees('the sign-in page', atSignIn)
    await d.sees('a wait', async () => {
      if (await d.get.enabled('sign-in')) await d.when.signIn('guessed', 'not the password')
      return (await d.get.seen('sign-in-problem')) && /again in \d+ seconds/.test(await d.get.text('sign-in-problem'))
    })
    const seconds = async () => Number(/\d+/.exec(await d.get.text('sign-in-problem'))?.[0])
    const first = await seconds()
    expect(await d.get.enabled('sign-in')).toBe(false)
    await d.sees('fewer seconds', async () => (await seconds()) < first)
  })

  it('says why the city’s identity provider let nobody in, and asks for the code after it', async () => {
    await d.given.visit('/haining/sign-in?error=oidc_unknown_person')
    await d.sees('the reason', async () => (await d.get.text('sign-in-problem')).includes('关联的账号'))
    expect(await d.get.seen('provider')).toBe(false)
    await d.given.visit('/haining/sign-in?error=<b>', { locale: 'en' })
    await d.sees('that it did not', async () => (await d.get.text('sign-in-problem')).includes('did not let you in'))
    await d.given.visit('/haining/sign-in?step=code')
    await d.sees('the code step', () => d.get.seen('code'))
    await d.when.type('code', '000000')
    await d.when.press('Enter')
    await d.sees('that nobody was vouched for', async () => (await d.get.text('sign-in-problem')).includes('请重新'))
  })

  it('shows the password to who asks, and tells of the shift lock', async () => {
    await d.given.visit('/haining/sign-in')
    await d.sees('the sign-in page', atSignIn)
    await d.when.type('password', 'four words')
    expect(await d.get.attribute('password', 'type')).toBe('password')
    await d.when.click('show-password')
    expect(await d.get.attribute('password', 'type')).toBe('text')
    expect(await d.get.attribute('login', 'autocomplete')).toBe('username')
    expect(await d.get.attribute('password', 'autocomplete')).toBe('current-password')
    await d.when.pressLocked('password', 'A')
    await d.sees('a word about it', () => d.get.seen('caps-lock'))
  })
})

describe('the way out', () => {
  it('leaves nothing behind, not by Back either', async () => {
    await d.given.page('/haining')
    await d.when.openRow(0)
    await d.sees('the report', () => d.get.seen('report'))
    const title = (await d.get.text('report')).split('\n')[0]!
    await d.when.click('account-menu')
    await d.when.click('sign-out')
    await d.sees('the sign-in page', atSignIn)
    expect(await d.get.seen('left')).toBe(true)
    await d.when.back()
    await d.sees('the sign-in page', atSignIn)
    expect(await d.get.body()).not.toContain(title)
    expect(await d.get.rows()).toEqual([])
    expect((await d.get.query()).get('next')).toBeNull()
  })

  it('is taken when the session ends elsewhere, with the way back kept', async () => {
    await d.given.page('/haining', { as: 'grid_worker' })
    await d.when.openRow(0)
    await d.sees('the report', () => d.get.seen('report'))
    const selected = (await d.get.query()).get('sel')
    await d.when.endSession()
    const ended = Date.now()
    await d.sees('the sign-in page', atSignIn)
    console.info(`a session that ended was gone from the page after ${Date.now() - ended} ms`)
    expect(Date.now() - ended).toBeLessThan(5000)
    expect(await d.get.seen('ended')).toBe(true)
    expect(await d.get.rows()).toEqual([])
    await d.when.signIn('grid_worker')
    await d.sees('where it was', async () => (await d.get.query()).get('sel') === selected)
  })

  it('is taken when the account is disabled', async () => {
    await member('leaver')
    await d.given.page('/haining', { as: 'leaver', password })
    await d.sees('rows', async () => (await d.get.rows()).length > 0)
    await d.when.disable('leaver')
    const ended = Date.now()
    await d.sees('the sign-in page', atSignIn)
    expect(Date.now() - ended).toBeLessThan(6000)
    await d.when.signIn('leaver', password)
    await d.sees('a word about it', async () => (await d.get.text('sign-in-problem')).includes('已停用'))
  })
})

describe('one’s own account', () => {
  it('begins with a password of one’s own', async () => {
    const given = await d.given.account('newcomer', 'grid_worker', 'grid', '330481103200001')
    await d.given.visit('/haining?sel=town:330481103')
    await d.sees('the sign-in page', atSignIn)
    await d.when.signIn('newcomer', given)
    await d.sees('why', async () => (await d.get.text('why')).includes('由他人设定'))
    expect(await d.get.path()).toBe('/haining/account')
    await d.when.type('current-password', given)
    for (const [bad, word] of [
      ['short', '至少 12 个字符'],
      ['newcomer newcomer 1', '含有您的账号'],
      [given, '与当前密码相同'],
    ] as const) {
      await d.when.type('new-password', bad)
      await d.when.type('again-password', bad)
      await d.when.click('save-password')
      await d.sees(
        word,
        async () =>
          (await d.get.seen('new-password-problem')) && (await d.get.text('new-password-problem')).includes(word),
      )
    }
    await d.when.type('new-password', password)
    await d.when.type('again-password', password)
    await d.when.click('save-password')
    await d.sees('it is changed', () => d.get.seen('password-saved'))
    await d.when.click('home-link')
    await d.sees('the home', home('我的网格'))
    await d.given.visit('/haining/sign-in', { as: 'newcomer', password })
    await d.sees('the home', home('我的网格'))
  })

  it('takes a second factor, and gives recovery codes once', async () => {
    await member('guarded')
    await d.when.click('begin-factor')
    await d.sees('the code to scan', () => d.get.seen('qr'))
    const secret = await d.get.text('secret')
    await d.when.type('factor-code', '000000')
    await d.when.press('Enter')
    await d.sees('a word about it', async () => (await d.get.text('factor-problem')).includes('验证码不对'))
    await d.when.typeCode(secret)
    await d.sees('ten codes', async () => (await d.get.count('recovery-code')) === 10)
    const recovery = (await d.get.texts('recovery-code'))[0]!
    expect(await d.get.serious()).toEqual([])
    await d.when.click('codes-kept')
    expect(await d.get.body()).not.toContain(recovery)

    await d.when.click('sign-out-here')
    await d.sees('the sign-in page', atSignIn)
    await d.when.signIn('guarded', password)
    await d.sees('the code step', () => d.get.seen('code'))
    expect(await d.get.focused()).toBe('code')
    expect(await d.get.attribute('code', 'autocomplete')).toBe('one-time-code')
    expect(await d.get.serious()).toEqual([])
    await d.when.type('code', totp('AAAAAAAAAAAAAAAA', 1))
    await d.when.press('Enter')
    await d.sees('a word about it', async () => (await d.get.text('sign-in-problem')).includes('验证码不对'))
    await d.when.typeCode(secret)
    await d.sees('the home', home('我的村社'))

    await d.given.visit('/haining/sign-in')
    await d.sees('the sign-in page', atSignIn)
    await d.when.signIn('guarded', password)
    await d.sees('the code step', () => d.get.seen('code'))
    await d.when.type('code', recovery)
    await d.when.press('Enter')
    await d.sees('the home', home('我的村社'))
    await d.when.click('account-menu')
    await d.when.click('to-account')
    await d.sees('it is on', async () => (await d.get.attribute('second-factor', 'data-on')) === 'true')
    await d.when.click('remove-factor')
    await d.when.type('factor-password', password)
    await d.when.click('confirm-factor')
    await d.sees('it is off', async () => (await d.get.attribute('second-factor', 'data-on')) === 'false')
  }, 120_000)

  it('tells where one is signed in, and ends what is not wanted', async () => {
    await member('wanderer')
    await d.when.signInElsewhere('wanderer', password)
    await d.when.signInElsewhere('wanderer', password)
    await d.given.visit('/haining/account', { as: 'wanderer', password })
    await d.sees('the sessions', async () => (await d.get.count('end-session')) === 3)
    expect(await d.get.text('sessions')).toContain('Linux 上的 Chrome')
    expect(await d.get.text('sessions')).toContain('本设备')
    await d.when.click('end-session')
    await d.sees('one less', async () => (await d.get.count('end-session')) === 2)
    await d.when.click('end-others')
    await d.sees('this one alone', async () => (await d.get.count('end-session')) === 0)
    expect(await d.get.text('sessions')).toContain('本设备')
  })

  it('of a demo stays as it is', async () => {
    await d.given.visit('/haining/account', { as: 'planner' })
    await d.sees('a word about it', () => d.get.seen('demo-account'))
    expect(await d.get.seen('password-form')).toBe(false)
    expect(await d.get.text('posts')).toContain('网格规划员')
  })
})

describe('rights', () => {
  it('show what may lie in one’s territory without what was written', async () => {
    await d.given.page('/haining', { as: 'grid_worker' })
    const { reports } = await d.get.jsonAs('/reports?limit=100')
    const glimpsed = reports.find((r: { partly?: boolean }) => r.partly)
    expect(glimpsed).toBeDefined()
    await d.given.page(`/haining?sel=report:${glimpsed.num}`, { as: 'grid_worker' })
    await d.sees('a word about it', async () => (await d.get.text('partly')).includes('也可能在您的辖区内'))
    expect(await d.get.seen('set-position')).toBe(false)
  })

  it('bring a home when they begin, and take all of it along when they end', async () => {
    await d.given.page('/haining', { as: 'volunteer' })
    await d.sees('the home', home('我的上报'))
    await d.when.givePost('town_leader', 'town', '330481103')
    await d.when.click('account-menu')
    await d.sees('two homes', async () => (await d.get.count('switch-home')) === 2)
    await d.when.clickIn('switch-home', '镇街领导', '')
    await d.sees('the other home', home('逐月热度'))
    await d.when.click('tab-reports')
    await d.sees('rows', async () => (await d.get.rows()).length > 2)
    await d.when.openRow(0)
    await d.sees('the report', () => d.get.seen('report'))
    const title = (await d.get.text('report')).split('\n')[0]!
    await d.when.endPost('town_leader')
    const ended = Date.now()
    await d.sees('nothing of it', async () => (await d.get.rows()).length === 0 && !(await d.get.seen('report')))
    console.info(`a territory was gone from the page ${Date.now() - ended} ms after its post had ended`)
    expect(Date.now() - ended).toBeLessThan(5000)
    await d.sees('the home', home('我的上报'))
    expect(await d.get.body()).not.toContain(title)
    expect(await d.get.seen('legend')).toBe(false)
    expect(await d.get.path()).toBe('/haining')
  })

  it('decide which controls there are', async () => {
    await d.given.page('/haining', { as: 'town_leader' })
    await d.when.click('tab-reports')
    await d.when.openRow(0)
    await d.sees('the report', () => d.get.seen('report'))
    expect(await d.get.seen('set-position')).toBe(false)
    await d.when.press('n')
    await d.when.press('u')
    expect(await d.get.seen('file-form')).toBe(false)
    expect((await d.get.query()).get('list')).not.toBe('unplaced')
  })
})

describe('the open map', () => {
  it.each([
    ['zh', phone, '用演示账号登录'],
    ['en', phone, 'Sign in with a demo account'],
    ['zh', { width: 1440, height: 900 }, '用演示账号登录'],
    ['en', { width: 1440, height: 900 }, 'Sign in with a demo account'],
  ] as const)('of a demo says how to sign in: %s, %o', async (locale, size, words) => {
    await d.when.change('/settings', { public_map: true })
    try {
      await d.given.visit('/haining', { locale, size })
      await d.sees('the way in', async () => (await d.get.seen('open-demo')) && (await d.get.seen('open-sign-in')))
      expect(await d.get.text('open-sign-in')).toBe(words)
      await d.sees('a month', async () => (await d.get.count('open-month')) > 20)
      expect(await d.get.seen('resident-report')).toBe(true)
      expect(await d.get.serious()).toEqual([])
      expect(await d.get.wider()).toBe(0)
      if (size === phone) expect(await d.get.small()).toEqual([])
      await d.when.click('open-sign-in')
      await d.sees('the demo accounts', () => d.get.seen('demo-desk'))
      await d.when.click('demo-desk')
      await d.sees(
        'what waits for the desk',
        async () => (await d.get.path()) === '/haining/queue' && (await d.get.seen('queue')),
      )
    } finally {
      await d.when.change('/settings', { public_map: false })
    }
  })

  it('takes nobody’s work for its own: who was signed out signs in again, and a report asks for it', async () => {
    await d.when.change('/settings', { public_map: true })
    try {
      await d.given.page('/haining', { as: 'grid_worker' })
      await d.when.openRow(0)
      await d.sees('the report', () => d.get.seen('report'))
      const selected = (await d.get.query()).get('sel')!
      await d.when.endSession()
      await d.sees('the sign-in page', atSignIn)
      expect(await d.get.seen('ended')).toBe(true)
      await d.when.signIn('grid_worker')
      await d.sees('where it was', async () => (await d.get.query()).get('sel') === selected)
      await d.when.endSession()
      await d.sees('the sign-in page', atSignIn)
      await d.when.click('public-map')
      await d.sees('the map', home('公开地图'))

      await d.given.visit(`/haining?sel=${selected}`)
      await d.sees('the sign-in page', atSignIn)
      await d.when.signIn('grid_worker')
      await d.sees('the report', async () => (await d.get.query()).get('sel') === selected)
      await d.when.click('account-menu')
      await d.when.click('sign-out')
      await d.sees('the sign-in page', atSignIn)
      await d.given.page('/haining', { as: 'desk' })
      await d.when.click('account-menu')
      await d.when.click('sign-out')
      await d.sees('that one has left', async () => (await home('公开地图')()) && (await d.get.seen('left')))
      expect(await d.get.rows()).toEqual([])
    } finally {
      await d.when.change('/settings', { public_map: false })
    }
  })

  it('shows borders and the heat of whole months without signing in, and nothing more', async () => {
    await d.when.change('/settings', { public_map: true })
    try {
      await d.given.visit('/haining')
      await d.sees('the map', home('公开地图'))
      await d.sees('a month', async () => (await d.get.count('open-month')) > 20)
      await d.sees('the heat', async () => /\d\+/.test(await d.get.text('legend')))
      expect(await d.get.text('legend')).toContain('少于 3 件的格不显示')
      expect(await d.get.seen('map-warning')).toBe(false)
      for (const name of ['reports', 'histogram', 'file', 'live']) expect(await d.get.seen(name)).toBe(false)
      expect(await d.get.serious()).toEqual([])
      await d.when.click('to-sign-in')
      await d.sees('the sign-in page', atSignIn)
      await d.when.click('public-map')
      await d.sees('the map', home('公开地图'))
    } finally {
      await d.when.change('/settings', { public_map: false })
    }
    await d.given.visit('/haining')
    await d.sees('the sign-in page', atSignIn)
    expect(await d.get.seen('public-map')).toBe(false)
  })
})

describe('the new pages', () => {
  it.each([
    ['light', 'zh'],
    ['dark', 'en'],
    ['light', 'en'],
    ['dark', 'zh'],
  ] as const)(
    'have nothing serious for axe: %s %s',
    async (theme, locale) => {
      await d.given.visit('/haining/sign-in', { theme, locale })
      await d.sees('the sign-in page', atSignIn)
      expect(await d.get.language()).toBe(locale === 'zh' ? 'zh-CN' : 'en-GB')
      if (locale === 'en') expect((await d.get.text('sign-in-form')).match(/\p{Script=Han}/u)).toBeNull()
      expect(await d.get.serious()).toEqual([])
      await d.given.visit('/haining/account', { theme, locale, as: 'desk' })
      await d.sees('the sessions', () => d.get.seen('sessions'))
      expect(await d.get.serious()).toEqual([])
      const homes: Record<string, string[]> = {
        'light zh': ['grid_worker', 'planner'],
        'dark en': ['town_leader', 'unit_member'],
      }
      for (const as of homes[`${theme} ${locale}`] ?? []) {
        await d.given.page('/haining', { theme, locale, as })
        await d.sees('the home', () => d.get.seen('home'))
        await d.when.click('account-menu')
        expect(await d.get.serious()).toEqual([])
      }
    },
    120_000,
  )

  it('fit a phone, with targets for fingers', async () => {
    await d.given.visit('/haining/sign-in', { size: phone })
    await d.sees('the sign-in page', atSignIn)
    expect(await d.get.small()).toEqual([])
    await d.given.visit('/haining/account', { size: phone, as: 'desk' })
    await d.sees('the sessions', () => d.get.seen('sessions'))
    expect(await d.get.small()).toEqual([])
    expect(await d.get.wider()).toBe(0)
    await d.given.page('/haining', { size: phone, as: 'grid_worker' })
    await d.when.click('tab-list')
    await d.sees('the home', home('我的网格'))
    await d.when.click('account-menu')
    expect(await d.get.small()).toEqual([])
  })

  it('go by keyboard', async () => {
    await d.given.page('/haining')
    await d.when.click('account-menu')
    await d.sees('the menu', async () => (await d.get.focused()) === 'to-account')
    await d.when.press('ArrowDown')
    expect(await d.get.focused()).toBe('sign-out')
    await d.when.press('Escape')
    expect(await d.get.focused()).toBe('account-menu')
    expect(await d.get.seen('sign-out')).toBe(false)
  })

  it('break no rule of the page’s policy', () => {
    expect(d.complaints.filter(c => c.includes('policy'))).toEqual([])
    expect(d.foreign).toEqual([])
  })
})
