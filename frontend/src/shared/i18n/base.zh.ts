/** Words that the phone app has too. */
export default {
  demo: { mark: '演示', hint: '本城的界线和上报由程序生成，并非真实数据' },
  level: { city: '市', town: '镇街', village: '村社', grid: '网格', microgrid: '微网格' },
  kind: { problem: '问题', inquiry: '咨询', conflict: '矛盾', none: '未分类' },
  unit: { m: '{n} 米', km: '{n} 千米', m2: '{n} 平方米', km2: '{n} 平方千米', households: '{n} 户', people: '{n} 人' },
  voice: {
    note: '语音',
    play: '播放语音',
    pause: '暂停',
    place: '播放位置',
    at: '{at}，共 {of}',
    lost: '现在播放不了：没有网络，或者您已无权收听。请稍后再按一次。',
  },
}
