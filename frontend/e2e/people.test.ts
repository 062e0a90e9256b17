import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'

let d: Driver
beforeAll(async () => {
  d = await Driver.start()
})
afterAll(() => d?.stop())

const phone = { width: 390, height: 844 }
/** Words that no run before has used, where the same server is asked twice. */
const run = Date.now().toString(36)
const grid = '330481101004001'
const notice = (words: string) => async () =>
  (await d.get.seen('notice')) && (await d.get.text('notice')).includes(words)
const open = async (path: string, as = 'administrator', reader = {}) => {
  await d.given.visit(`/haining/${path}`, { as, ...reader })
}

/** Somebody new, whose drawer is open. */
async function somebody(name: string) {
  await open('people')
  await d.sees('the people', () => d.get.seen('people'))
  await d.when.click('add-person')
  await d.when.type('person-name', name)
  await d.when.click('save-person')
  await d.sees(
    'the new person',
    async () => (await d.get.seen('person-title')) && (await d.get.text('person-title')) === name,
  )
  await d.sees('the place for an account', () => d.get.seen('account-form'))
}
async function givePost(role = 'grid_worker', code = grid) {
  await d.when.click('add-post')
  await d.when.pick('post-role', role)
  await d.when.type('area-search', code)
  await d.sees('the grid', async () => (await d.get.texts('area-option')).some(text => text.includes(code)))
  await d.when.press('Enter')
  await d.sees('it is chosen', () => d.get.seen('area-chosen'))
  await d.when.click('save-post')
  await d.sees('the post', () => d.get.seen('end-post'))
}

describe('people, posts and accounts', () => {
  it('a person is added, given a post and an account, and signs in; the account can be stopped and reset', async () => {
    const name = `钱进${run}`
    await somebody(name)
    await d.when.type('new-login', 'Not A Login')
    await d.when.click('make-account')
    await d.sees('why not', () => d.get.seen('login-problem'))
    await givePost()
    expect(await d.get.text('rights')).toContain('查看上报')
    expect(await d.get.text('person-id')).toBe((await d.get.query()).get('person'))
    await d.when.type('new-login', `qian-${run}`)
    await d.when.click('make-account')
    await d.sees('the password, once', () => d.get.seen('secret'))
    const password = await d.get.text('secret')
    expect(await d.get.serious()).toEqual([])
    await d.when.click('secret-kept')
    await d.sees('it is gone', async () => !(await d.get.seen('secret')))
    expect(await d.get.body()).not.toContain(password)
    const at = `people?person=${(await d.get.query()).get('person')}`

    await d.given.visit('/haining/sign-in')
    await d.sees('the sign-in page', () => d.get.seen('sign-in-form'))
    await d.when.signIn(`qian-${run}`, password)
    await d.sees('the password is to be changed', () => d.get.seen('password-form'))

    await open(at)
    await d.sees('the account', () => d.get.seen('account-state'))
    await d.when.click('use-account')
    await d.sees('it is out of use', async () => (await d.get.text('account-state')) === '已停用')
    await d.when.click('undo')
    await d.sees('it is in use again', async () => (await d.get.text('account-state')) === '可登录')
    await d.when.click('reset-password')
    await d.when.click('reset-password-sure')
    await d.sees('another password', () => d.get.seen('secret'))
    expect(await d.get.text('secret')).not.toBe(password)
  })

  it('a post that is ended can be taken up again, and one that overlaps is refused in place', async () => {
    await somebody(`孙岗${run}`)
    await givePost()
    await d.when.click('end-post')
    await d.sees('what was done', notice('今日离任'))
    await d.when.click('undo')
    await d.sees('it goes on', notice('已恢复原样'))
    await d.sees('it can be ended', () => d.get.seen('end-post'))
    await d.when.click('add-post')
    await d.when.pick('post-role', 'grid_worker')
    await d.when.type('area-search', grid)
    await d.sees('the grid', async () => (await d.get.texts('area-option')).some(text => text.includes(grid)))
    await d.when.press('Enter')
    await d.when.click('save-post')
    await d.sees('that it is held', async () => (await d.get.text('post-days-problem')).includes('已有同样的岗位'))
  })

  it('are found by name, role and state, and the address keeps it', async () => {
    await open('people')
    await d.sees('the people', () => d.get.seen('people'))
    await d.when.pick('filter-role', 'desk')
    await d.sees('the desk alone', async () =>
      (await d.get.texts('person-row')).every(row => row.includes('指挥室坐席')),
    )
    expect((await d.get.query()).get('role')).toBe('desk')
    await d.when.type('people-search', '没有这个人')
    await d.sees('nobody', async () => (await d.get.body()).includes('没有相符的人员'))
    await d.when.click('clear-filters')
    await d.sees('everybody', async () => (await d.get.count('person-row')) > 10)
  })

  it('the last administrator stays, and the page says what to do', async () => {
    await open('people?role=administrator')
    await d.sees('the administrator', async () => (await d.get.count('person-row')) === 1)
    await d.when.click('person-row')
    await d.sees('the post', () => d.get.seen('end-post'))
    await d.when.click('end-post')
    await d.sees('that it stays', async () => (await d.get.text('person')).includes('城市不能没有管理员'))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('change-post')
    await d.when.type('post-begins', new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10))
    await d.when.click('save-post')
    await d.sees('that its days stay', async () => (await d.get.text('post-form')).includes('城市不能没有管理员'))
  })

  it('a table is shown row by row before it is kept, and not kept with errors', async () => {
    const head = '姓名,手机,岗位,层级,辖区代码,开始日期\n'
    const good = `周表${run},139${Date.now().toString().slice(-8)},网格长,网格,${grid},2026/1/1\n`
    await open('people')
    await d.when.click('import-people')
    await d.when.upload('import-file', 'people.csv', `${head}${good}吴错,,网格长,网格,9,2026-1-1\n`)
    await d.sees('the row with an error', async () => (await d.get.text('import-rows')).includes('没有这个代码'))
    expect(await d.get.enabled('apply-import')).toBe(false)
    expect(await d.get.serious()).toEqual([])
    await d.when.upload('import-file', 'people.csv', head + good)
    await d.sees('what it would do', async () => (await d.get.text('import-rows')).includes('新岗位：网格长'))
    await d.when.click('apply-import')
    await d.sees('that it was done', notice('新增 1 行'))
    await d.when.type('people-search', `周表${run}`)
    await d.sees('the person', async () => (await d.get.count('person-row')) === 1)
  })

  it('who may only see people sees no logins and no way to change them', async () => {
    await open('people', 'town_leader')
    await d.sees('the people', () => d.get.seen('people'))
    expect(await d.get.seen('add-person')).toBe(false)
    await d.when.click('person-row')
    await d.sees('the posts', () => d.get.seen('posts'))
    for (const name of ['edit-person', 'add-post', 'end-post', 'account', 'account-form'])
      expect(await d.get.seen(name)).toBe(false)
    for (const path of ['units', 'audit', 'tokens', 'settings']) {
      await open(path, 'town_leader')
      await d.sees(`no ${path}`, () => d.get.seen('not-allowed'))
      expect(await d.get.seen(`workspace-${path}`)).toBe(false)
    }
  })
})

describe('units, the record, tokens and settings', () => {
  it('a unit is added, renamed and closed', async () => {
    await open('units')
    await d.sees('the units', () => d.get.seen('units'))
    await d.when.click('add-unit')
    await d.when.pick('unit-kind', 'x_force')
    await d.when.type('unit-name', `力量${run}`)
    await d.when.click('save-unit')
    const row = async (name: string) => (await d.get.texts('unit-row')).some(text => text.includes(name))
    await d.sees('the unit', () => row(`力量${run}`))
    expect(await d.get.serious()).toEqual([])
    await d.when.clickIn('unit-row', `力量${run}`, 'edit-unit')
    await d.when.type('unit-name', `联合${run}`)
    await d.when.click('save-unit')
    await d.sees('its other name', () => row(`联合${run}`))
    await d.when.click('undo')
    await d.sees('its name', () => row(`力量${run}`))
    await d.when.clickIn('unit-row', `力量${run}`, 'edit-unit')
    await d.when.click('close-unit')
    await d.when.click('close-unit-sure')
    await d.sees('it is closed', async () => !(await row(`力量${run}`)))
  })

  it('each act is on record, with what it changed, and can be exported', async () => {
    const name = `郑录${run}`
    await somebody(name)
    await givePost()
    await d.when.click('end-post')
    await d.sees('it is ended', notice('今日离任'))
    await open('audit?act=post')
    await d.sees('the act', async () => (await d.get.texts('audit-row'))[0]?.includes('结束岗位'))
    const [row] = await d.get.texts('audit-row')
    expect(row).toContain(name)
    expect(row).toContain('127.0.0.1')
    expect(await d.get.text('audit-head')).toMatch(/记录链至第 [\d,]+ 条/)
    expect(await d.get.serious()).toEqual([])
    const table = await d.when.download('export-audit')
    expect(table.split('\r\n')[1]).toContain('post.end')
    await d.when.click('only-subject')
    await d.sees('what was done to this alone', async () => {
      const rows = await d.get.texts('audit-row')
      return rows.length > 0 && rows.every(r => r.includes(name))
    })
    expect((await d.get.query()).get('subject')).toMatch(/^person:/)
    expect(await d.get.text('filter-subject')).toContain(name)
    await d.when.click('clear-filters')
    await d.sees('all acts', async () => !(await d.get.seen('filter-subject')))
    await d.when.type('audit-from', '2026年1月32日')
    await d.when.press('Enter')
    await d.sees('that it is no day', async () => (await d.get.text('day-problem')).includes('年-月-日'))
    await d.when.type('audit-from', '20260102')
    await d.when.press('Enter')
    await d.sees('a day however it is typed', async () => (await d.get.query()).get('from') === '2026-01-02')
    await open('audit?act=audit')
    await d.sees('the export', async () => (await d.get.texts('audit-row'))[0]?.includes('导出操作记录'))
  })

  it('a machine gets a token, which is shown once and can be revoked', async () => {
    await open('people')
    await d.sees('the people', () => d.get.seen('people'))
    await d.when.click('add-machine')
    await d.when.type('person-name', `热线${run}`)
    await d.when.click('save-person')
    await d.sees('the place for an account', () => d.get.seen('account-form'))
    const person = (await d.get.query()).get('person')!
    await d.when.type('new-login', `hotline-${run}`)
    await d.when.click('make-account')
    await d.sees('the account', () => d.get.seen('account-login'))
    expect(await d.get.seen('secret')).toBe(false)
    await open('tokens')
    await d.when.click('add-token')
    await d.sees('the machine', async () => (await d.get.text('token-machine')).includes(`热线${run}`))
    await d.when.pick('token-machine', person)
    await d.when.type('token-name', `令牌${run}`)
    await d.when.click('save-token')
    await d.sees(
      'the token',
      async () => (await d.get.seen('secret')) && (await d.get.text('secret')).startsWith('ggt_'),
    )
    expect(await d.get.serious()).toEqual([])
    await d.when.click('secret-kept')
    await d.sees('its row', async () => (await d.get.texts('token-row')).some(row => row.includes(`令牌${run}`)))
  })

  it('a switch acts at once and can be switched back', async () => {
    await open('settings')
    await d.sees('the settings', () => d.get.seen('settings'))
    const is = async (on: boolean) => (await d.get.attribute('set-public_map', 'aria-checked')) === String(on)
    await d.sees('it is on, as a demo’s is', () => is(true))
    await d.when.click('set-public_map')
    await d.sees('it is off', () => is(false))
    await d.when.click('undo')
    await d.sees('it is on', () => is(true))
    expect(await d.get.serious()).toEqual([])
  })

  it('an address elsewhere is told, a retention is looked at before it is kept', async () => {
    await open('settings')
    await d.sees('the webhooks', () => d.get.seen('add-webhook'))
    await d.when.click('add-webhook')
    await d.when.type('webhook-name', `大屏${run}`)
    await d.when.type('webhook-url', 'https://10.0.0.1/hook')
    await d.when.click('save-webhook')
    await d.sees('why not', async () => (await d.get.text('webhook-url-wrong')).includes('内部网络'))
    await d.when.type('webhook-url', 'https://hooks.example.com/a')
    await d.when.click('save-webhook')
    await d.sees('its secret, this once', async () => (await d.get.text('secret')).startsWith('whsec_'))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('secret-kept')
    await d.when.click('test-webhook')
    await d.sees('that a demo calls nobody', async () => (await d.get.text('delivery')).includes('演示城市'))
    await d.when.click('remove-webhook')
    await d.when.click('remove-webhook-sure')
    await d.sees('that none is left', () => d.get.seen('no-webhooks'))

    await d.when.check('keep-days')
    expect(await d.get.enabled('save-escalation')).toBe(false)
    await d.when.type('retention-days', '30')
    expect(await d.get.enabled('preview')).toBe(false)
    await d.when.type('retention-days', '36000')
    await d.when.click('preview')
    await d.sees('what it would do', async () => (await d.get.text('previewed')).includes('没有'))
    await d.when.click('save-escalation')
    await d.sees('that it is kept', notice('已保存'))
    await d.when.check('keep-all')
    await d.when.click('save-escalation')
    await d.sees(
      'that all is kept again',
      async () => (await d.get.jsonAs('/settings/escalation')).retention_days === 0,
    )
  })

  it('an identity provider is set, people are linked to it, and it is switched off', async () => {
    await somebody(`钱统${run}`)
    await d.when.type('new-login', `tong-${run}`)
    await d.when.click('make-account')
    await d.sees('the account', () => d.get.seen('account-login'))
    expect(await d.get.seen('identity')).toBe(false)
    const at = `people?person=${(await d.get.query()).get('person')}`

    await open('settings')
    await d.sees('the form', () => d.get.seen('provider-form'))
    expect(await d.get.text('provider-callback')).toBe(`http://${d.get.home()}/haining/v1/session/oidc/callback`)
    expect(await d.get.seen('provider-off')).toBe(false)
    await d.when.type('provider-issuer', 'http://id.example.org')
    await d.when.type('provider-client', 'gridgov')
    await d.when.click('save-provider')
    await d.sees('why not', async () => (await d.get.text('issuer-problem')).includes('加密网址'))
    await d.when.type('provider-issuer', 'http://127.0.0.1:1')
    await d.when.click('save-provider')
    await d.sees('that the secret is missing', () => d.get.seen('secret-problem'))
    await d.when.type('provider-secret', `secret-${run}`)
    await d.when.click('save-provider')
    await d.sees('that nobody answers there', async () =>
      (await d.get.text('provider-check')).includes('那里没有身份认证平台应答'),
    )
    expect(await d.get.body()).not.toContain(`secret-${run}`)
    expect(await d.get.serious()).toEqual([])
    await open('settings')
    await d.sees('it is kept', () => d.get.seen('provider-off'))
    expect(await d.get.attribute('provider-secret', 'placeholder')).toContain('已保存')

    await open(at)
    await d.sees(
      'no link yet',
      async () => (await d.get.seen('identity')) && (await d.get.text('identity')).includes('未关联'),
    )
    await d.when.click('link-identity')
    await d.when.type('subject', ` subject-${run} `)
    expect(await d.get.serious()).toEqual([])
    await d.when.click('save-link')
    await d.sees('the link', async () => (await d.get.text('identity-subject')) === `subject-${run}`)
    await d.when.click('unlink-identity')
    expect(await d.get.focused()).toBe('unlink-identity-sure')
    await d.when.click('unlink-identity-sure')
    await d.sees('it is gone', async () => (await d.get.text('identity')).includes('未关联'))

    await open('settings')
    await d.when.click('provider-off')
    await d.when.click('provider-off-sure')
    await d.sees('what was done', notice('已停用统一身份认证'))
    await d.sees('it is off', async () => !(await d.get.seen('provider-off')))
    await open(at)
    await d.sees('the account', () => d.get.seen('account-login'))
    expect(await d.get.seen('identity')).toBe(false)
  })

  it.each(['people', 'units', 'audit', 'tokens', 'settings'])('fits on a phone, in English: %s', async path => {
    await open(path, 'administrator', { size: phone, locale: 'en' })
    await d.sees('the page', async () => (await d.get.body()).length > 200)
    expect(await d.get.wider()).toBe(0)
    expect(await d.get.serious()).toEqual([])
  })

  it('are led to from the account on a phone', async () => {
    await d.given.page('/haining', { as: 'administrator', size: phone })
    await d.when.click('tab-list')
    await d.when.click('account-menu')
    await d.when.click('menu-people')
    await d.sees('the people', () => d.get.seen('people'))
    await d.when.click('account-menu')
    await d.when.click('menu-audit')
    await d.sees('the record', () => d.get.seen('audit'))
  })

  it('complains of nothing', () => {
    const refused = (c: string) => /40[0139]/.test(c)
    expect(d.complaints.filter(c => !refused(c))).toEqual([])
    expect(d.foreign).toEqual([])
  })
})
