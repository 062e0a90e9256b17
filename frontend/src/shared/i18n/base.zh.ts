/** Words that the phone app has too. */
export default {
  demo: { mark: '演示', hint: '本城的界线和上报由程序生成，并非真实数据' },
  level: { city: '市', town: '镇街', village: '村社', grid: '网格', microgrid: '微网格' },
  kind: { problem: '问题', inquiry: '咨询', conflict: '矛盾', none: '未分类' },
  unit: { m: '{n} 米', km: '{n} 千米', m2: '{n} 平方米', km2: '{n} 平方千米', households: '{n} 户', people: '{n} 人' },
}
