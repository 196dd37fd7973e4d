/// The one style sheet of the page. Colours are a table of light and dark; paper is always light.
func reportStyle() -> ReportMarkup {
  let light = reportColours.map { "--\($0.0):\($0.1);" as ReportMarkup }.joined()
  let dark = reportColours.map { "--\($0.0):\($0.2);" as ReportMarkup }.joined()
  return """
    :root{color-scheme:light dark;\(light)}
    @media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){\(dark)}}
    @media screen{:root[data-theme=dark]{color-scheme:dark;\(dark)}\
    :root[data-theme=light]{color-scheme:light}}
    \(reportRules)\(reportPictureRules)\(reportSmallRules)\(reportPaperRules)
    """
}

/// Name, light, dark. Text colours have a contrast of 4.5 or more on `page` and `panel`.
private let reportColours: [(ReportMarkup, ReportMarkup, ReportMarkup)] = [
  ("page", "#fff", "#10161d"), ("panel", "#f4f6f8", "#18212a"), ("deep", "#e8edf2", "#222e3a"),
  ("rule", "#d5dce3", "#2f3b48"), ("ink", "#18212c", "#e6ecf2"), ("soft", "#535f6d", "#a6b2bf"),
  ("link", "#0b57a0", "#7cbaff"), ("line", "#1f5088", "#9ccaff"), ("band", "#cddff0", "#25415f"),
  ("mesh", "#e5eaef", "#24303b"), ("bars", "#a9b2bb", "#56636f"), ("up", "#a5440b", "#ffae78"),
  ("upsoft", "#fbe2d0", "#432a1b"), ("upfull", "#f2b78c", "#8b502c"),
  ("down", "#0c6075", "#71d3e4"),
  ("downsoft", "#d3ecf1", "#143a42"), ("downfull", "#89cad8", "#206875"),
  ("good", "#18693b", "#79d69d"), ("bad", "#a6201a", "#ff9f97"), ("badsoft", "#fbe0de", "#46211e"),
  ("warn", "#775000", "#efc56b"), ("warnsoft", "#faeaca", "#3e3011"),
  ("hatch", "#b8c1cb", "#4a5867"),
  ("shade", "#dfe3e8", "#2b3641"),
]

private let reportRules: ReportMarkup = """
  *{box-sizing:border-box}[hidden]{display:none!important}
  html{scroll-padding-top:3.6rem;-webkit-text-size-adjust:100%}
  body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,\
  "Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
  a{color:var(--link);text-underline-offset:2px}
  :focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
  h1,h2,h3,h4{margin:0;line-height:1.25;font-weight:650;text-wrap:balance;overflow-wrap:anywhere}
  h1{font-size:1.7rem;letter-spacing:-.01em}h2{font-size:1.28rem}h3{font-size:1.08rem}
  h4{font-size:.84rem;color:var(--soft)}h3.minor{font-size:.9rem;margin:1.1rem 0 .3rem}
  p{margin:.4em 0}code,pre{font:.88em/1.45 ui-monospace,"SFMono-Regular",Consolas,\
  "Liberation Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
  pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.5rem .7rem;\
  white-space:pre-wrap;margin:.3rem 0}
  .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);\
  white-space:nowrap}
  .skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:.4rem;background:var(--page);\
  padding:.4rem;z-index:2}
  .wrap{max-width:1150px;margin:0 auto;padding:0 24px}
  .bar{position:sticky;top:0;z-index:1;background:var(--page);border-bottom:1px solid var(--rule)}
  .bar .wrap{display:flex;gap:1rem;align-items:center;min-height:46px;overflow-x:auto;\
  white-space:nowrap}
  nav{display:flex;gap:1rem;flex:1}nav a{color:var(--soft);text-decoration:none;font-size:.9rem;\
  padding:.6rem 0}nav a:hover{color:var(--ink);text-decoration:underline}
  .tools{display:flex;gap:.5rem}button,input[type=search]{font:inherit;font-size:.86rem;\
  color:var(--ink);background:var(--panel);border:1px solid var(--rule);border-radius:6px;\
  padding:.24rem .6rem}button{cursor:pointer}
  .wrap>header{padding:26px 0 0}.sub{color:var(--soft)}header>.sub{margin:.25rem 0 0;max-width:90ch}
  td.sub,dd.sub,span.sub,.card .sub,p.sub{font-size:.83rem}.wrap>header .sub{font-size:.95rem}
  th span.sub,td span.sub{display:block;font-weight:400;color:var(--soft)}
  .params{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;color:var(--soft);font-size:.83rem}
  section{margin:34px 0}.lead{color:var(--soft);max-width:82ch;margin:.25rem 0 .8rem}
  .gone{color:var(--soft)}.framed.gone{box-shadow:inset 0 0 0 2px var(--hatch)}\
  #quiet tbody th{white-space:nowrap}#quiet td:last-child{width:52%}.note{color:var(--soft);font-size:.86rem}#quiet{margin-top:14px}
  .tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:18px 0 0}
  .tile{display:flex;flex-direction:column;border:1px solid var(--rule);border-radius:10px;\
  background:var(--panel);padding:11px 14px;color:inherit;text-decoration:none}
  .tile:hover{border-color:var(--link)}.tile .name,.tile .more{font-size:.83rem;color:var(--soft)}
  .tile .more{overflow-wrap:anywhere}.tile .word{font-size:1.3rem;font-weight:650;line-height:1.35}
  .good{color:var(--good)}.bad,.critical{color:var(--bad)}.warn,.warning{color:var(--warn)}
  .up{color:var(--up)}.down{color:var(--down)}
  .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.88rem}
  caption{text-align:left;color:var(--soft);font-size:.83rem;padding:0 0 .45rem;max-width:120ch}
  .ranked .level th{background:var(--panel);padding:.45rem .5rem;font-weight:400;color:var(--soft)}
  th{text-align:left;font-weight:600;overflow-wrap:anywhere}thead th{color:var(--soft);\
  font-size:.8rem;vertical-align:bottom}th,td{padding:.42rem .55rem;vertical-align:top;\
  border-bottom:1px solid var(--rule)}tbody tr:last-child>*{border-bottom:0}
  .n{text-align:right;white-space:nowrap}.none{color:var(--soft)}th .good,td .good,td .bad{\
  font-weight:600;white-space:nowrap}
  .ranked td,.ranked tbody th,.misses td,.misses tbody th{vertical-align:middle}
  .ranked tbody a{color:inherit;text-decoration:none}.ranked tbody a:hover{text-decoration:underline}
  .ranked td:first-child{color:var(--soft);width:2.2rem}.ranked tbody th{width:46%}
  .ranked .spark,.misses .spark{width:122px;height:38px}.impact{display:block}
  .ranked .critical,.ranked .warning{font-weight:600}ul.small{margin:0;padding-left:1.1rem;\
  font-size:.86rem;color:var(--soft)}ul.small a{color:inherit}ul.small li{overflow-wrap:anywhere}
  .calm{border:1px solid var(--rule);border-left:4px solid var(--good);border-radius:10px;\
  background:var(--panel);padding:14px 20px;margin:12px 0}.calm p{max-width:90ch}
  .filter{font-size:.86rem;color:var(--soft)}
  .card{border:1px solid var(--rule);border-radius:12px;margin:12px 0 18px;padding:13px 16px 10px;\
  scroll-margin-top:60px}.card:target{border-color:var(--link)}
  .card>header{display:grid;grid-template-columns:auto 1fr auto;gap:.2rem .8rem}
  .card header p{margin:.15rem 0 0}.card header .sub{font-size:.92rem}
  .number{font-size:1.08rem;font-weight:650;color:var(--soft);line-height:1.25;min-width:1.4rem;\
  text-align:right}.badges{display:flex;gap:.35rem;align-items:start}
  .badge{display:inline-block;border-radius:99px;padding:.1rem .6rem;font-size:.77rem;\
  font-weight:600;white-space:nowrap;background:var(--deep);color:var(--ink)}
  .badge.up{background:var(--upsoft);color:var(--up)}.badge.down{background:var(--downsoft);\
  color:var(--down)}.badge.critical{background:var(--badsoft);color:var(--bad)}
  .badge.warning{background:var(--warnsoft);color:var(--warn)}
  .legend{color:var(--soft);font-size:.81rem;margin:.1rem 0 .5rem}
  .facts{display:grid;grid-template-columns:repeat(4,1fr);border:1px solid var(--rule);\
  border-radius:8px;background:var(--panel);margin:8px 0 12px}.facts>div{padding:8px 13px;\
  border-left:1px solid var(--rule)}.facts>div:first-child{border-left:0}.facts>div:only-child{grid-column:1/-1}.facts dt{font-size:.8rem;\
  color:var(--soft)}.facts dd{margin:0}.facts dt+dd{font-size:1.22rem;font-weight:650;\
  line-height:1.3}
  .under{display:grid;grid-template-columns:minmax(0,1.35fr) minmax(0,1fr);gap:8px 32px}
  .checks{list-style:none;margin:.2rem 0 0;padding:0;font-size:.88rem}.checks li{display:flex;\
  gap:.6em;padding:.24rem 0;border-bottom:1px solid var(--rule)}.checks li:last-child{border:0}
  .pass>span{color:var(--good);font-weight:700}.mind>span{color:var(--warn);font-weight:700;\
  padding:0 .25em}summary{cursor:pointer;color:var(--link);font-size:.88rem}
  .pairs{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1.1rem;\
  margin:.4rem 0;font-size:.86rem}.pairs dt{color:var(--soft)}.pairs dd{margin:0;\
  overflow-wrap:anywhere}
  .tabs{display:flex;flex-wrap:wrap;gap:.35rem;margin:.45rem 0 .6rem}.tabs label{cursor:pointer;\
  font-size:.87rem;border:1px solid var(--rule);border-radius:6px;padding:.2rem .7rem}
  .tab,.onpaper{display:none}\(tabRules)
  .tabbed>input:focus-visible~.tabs{outline:3px solid var(--link);outline-offset:3px;\
  border-radius:6px}
  .map{table-layout:fixed;border-collapse:separate;border-spacing:2px;min-width:720px}.map th,.map td{border:0;\
  padding:.34rem .3rem;font-size:.82rem}.map thead th{font-size:.77rem}.map thead td{width:5.6rem}.map tbody td{\
  text-align:center;background:var(--panel);color:var(--soft);border-radius:4px;white-space:nowrap}
  .map tbody th{font-size:.82rem;color:var(--soft);max-width:11rem}.map td a{color:inherit;\
  display:block;text-decoration:none}.map td a:hover{text-decoration:underline}
  .map .up1,.map .up2,.map .down1,.map .down2{color:var(--ink);font-weight:650}
  .map .up1,.key .up1{background:var(--upsoft)}.map .up2,.key .up2{background:var(--upfull)}
  .map .down1,.key .down1{background:var(--downsoft)}.map .down2,.key .down2{\
  background:var(--downfull)}.map td.few,.key .few{background:repeating-linear-gradient(135deg,\
  var(--panel) 0 4px,var(--deep) 4px 8px)}em{font-style:italic}
  .key{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;font-size:.82rem;color:var(--soft);\
  margin:.5rem 0}.key i{display:inline-block;width:1.5em;height:.85em;border-radius:3px;\
  margin-right:.4em;vertical-align:-.08em;background:var(--panel);box-shadow:inset 0 0 0 1px \
  var(--rule)}.key .full{background:var(--band)}.key .gap{background:var(--bad)}
  .grid{min-width:760px;table-layout:fixed}.grid th{border:0;padding:.25rem .4rem;font-size:.77rem;\
  color:var(--soft);vertical-align:middle}.grid thead td{border:0;width:5.4rem}.grid tbody td{\
  padding:1px;border:1px solid var(--rule)}.grid tbody tr:last-child td{border-bottom:1px solid \
  var(--rule)}.grid a,.lines a{display:block;color:inherit}.grid .spark,.lines .spark{width:100%;\
  height:38px}.why{display:block;text-align:center;font-size:.72rem;color:var(--soft);\
  padding:.72rem .2rem}.framed.up{box-shadow:inset 0 0 0 2px var(--up)}\
  .framed.down{box-shadow:inset 0 0 0 2px var(--down)}
  .lines{list-style:none;margin:0;padding:0;display:grid;gap:10px;\
  grid-template-columns:repeat(auto-fill,minmax(180px,1fr))}.lines li{font-size:.8rem;\
  overflow-wrap:anywhere}.lines div{border:1px solid var(--rule);padding:1px}
  .refused td:nth-child(4){width:22%}.refused td:nth-child(5){width:26%}.refused td:nth-child(6){\
  width:18%}.raw{display:block;background:var(--panel);border-radius:4px;padding:.15rem .4rem;\
  white-space:pre-wrap;word-break:break-all;unicode-bidi:isolate}
  .cp{color:var(--bad);border:1px dotted var(--bad);border-radius:2px;padding:0 .15em;\
  font-size:.9em;white-space:nowrap;unicode-bidi:isolate}
  footer{color:var(--soft);font-size:.82rem;border-top:1px solid var(--rule);padding:12px 0 36px}
  @media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}

  """

/// The chosen panel of a set of tabs is shown, and its label is dark.
private let tabRules: ReportMarkup = (1...ReportTabs.most).map { i -> ReportMarkup in
  """
  .tabbed>input:nth-of-type(\(i)):checked~div:nth-of-type(\(i)){display:block}\
  .tabbed>input:nth-of-type(\(i)):checked~p label:nth-of-type(\(i)){background:var(--ink);\
  color:var(--page);border-color:var(--ink)}
  """
}.joined()

private let reportPictureRules: ReportMarkup = """
  .chart{overflow-x:auto;direction:rtl}.chart svg{direction:ltr;display:block;width:100%;\
  height:auto}svg text{font-family:inherit;font-size:12.5px;fill:var(--soft)}
  svg .strong{fill:var(--ink);font-weight:650}svg .axis{stroke:var(--rule)}\
  svg .grid{stroke:var(--mesh)}svg .weekend{fill:var(--panel)}svg .hatched{stroke:var(--hatch);\
  stroke-width:1.6}svg .band{fill:var(--band)}
  svg .line{fill:none;stroke:var(--line);stroke-width:1.9;stroke-linejoin:round;\
  stroke-linecap:round}.spark{display:block}.spark .line{stroke-width:1.3;\
  vector-effect:non-scaling-stroke}svg .expected{fill:none;stroke:var(--line);stroke-width:1.1;\
  stroke-dasharray:1.5 4;stroke-linecap:round}
  svg path.up{fill:var(--up)}svg path.down{fill:var(--down)}svg .change{stroke:var(--ink);\
  stroke-width:1.4}svg .noted{stroke:var(--ink);\
  stroke-width:1.4;stroke-dasharray:1 3}svg .place{fill:var(--shade)}svg .level{stroke-width:2.2;\
  stroke-dasharray:7 4;fill:none}svg .before{stroke:var(--line)}svg .rose{stroke:var(--up)}\
  svg .fell{stroke:var(--down)}svg .ring{fill:none;stroke:var(--ink);stroke-width:1.4}\
  svg .hollow{fill:var(--page);stroke:var(--line);stroke-width:1.6}svg .bars{fill:none;\
  stroke:var(--bars)}.impact rect{fill:var(--bars)}.impact path{fill:none;stroke:var(--ink);\
  stroke-width:1.4}svg .full{fill:var(--band)}svg .lag{fill:var(--bars)}\
  svg .upfull{fill:var(--upfull)}svg .downfull{fill:var(--downfull)}svg .zero{fill:none;stroke:var(--hatch)}\
  .key .zero{background:none}svg .gap{fill:var(--bad)}

  """

private let reportSmallRules: ReportMarkup = """
  @media screen and (max-width:820px){.wrap{padding:0 14px}h1{font-size:1.45rem}\
  .tiles,.facts{grid-template-columns:1fr 1fr}.facts>div:nth-child(3){border-left:0}\
  .facts>div:nth-child(n+3){border-top:1px solid var(--rule)}.under{grid-template-columns:1fr}\
  .wide{display:none}.card>header{grid-template-columns:auto 1fr}.badges{grid-column:2}\
  .chart svg{min-width:820px}.card{padding:11px 12px 8px}.refused{min-width:760px}\
  #ledger table{min-width:720px}.pairs{grid-template-columns:minmax(0,7.2rem) minmax(0,1fr)}}

  """

/// Two findings on a sheet of A4, everything opened, backgrounds kept.
private let reportPaperRules: ReportMarkup = """
  @media print{@page{size:A4;margin:10mm 11mm}html{font-size:9pt}body{font-size:8pt;\
  line-height:1.38;print-color-adjust:exact;-webkit-print-color-adjust:exact}\
  .bar,.skip,.filter,.tabs{display:none!important}.wrap{max-width:none;padding:0}\
  .wrap>header{padding:0}h1{font-size:15pt}h2{font-size:12pt;break-after:avoid}h3{font-size:9.6pt;\
  break-after:avoid}section{margin:14px 0}#findings{break-before:page}.tiles{gap:8px;\
  margin-top:10px}.tile{padding:6px 9px}.tile .word{font-size:12pt}tr,li{break-inside:avoid}\
  th,td{padding:2.5px 5px}a{color:inherit}.card{break-inside:avoid;margin:6px 0 9px;\
  padding:8px 10px 5px;border-radius:8px}.facts{margin:4px 0 7px}.facts>div{padding:4px 9px}\
  .facts dt+dd{font-size:11pt}.checks li{padding:1.2px 0}.legend{margin:0 0 3px}\
  .under{gap:4px 22px}details::details-content{content-visibility:visible;block-size:auto}\
  summary{list-style:none;color:var(--soft)}.card .pairs{grid-template-columns:max-content \
  minmax(0,1fr) max-content minmax(0,1.25fr);gap:0 8px;font-size:7pt;margin:2px 0}\
  .card .pairs dd:nth-of-type(-n+2){grid-column:2/-1}\
  .card .chart svg{max-height:50mm}caption,thead{break-after:avoid}.map{break-inside:avoid}.tab{display:block}\
  .onpaper{display:block;margin:6px 0 2px}.map,.grid,.refused{min-width:0}.map th,.map td,\
  .grid th{font-size:7.2pt;padding:2px}.grid thead td{width:4.2rem}.grid .spark{height:22px}\
  .scroll,.chart{overflow:visible}.tabbed>div+div{break-before:auto}.impact{width:100px}\
  .ranked .spark{height:26px}.map td.few{background:var(--panel)}\
  footer{padding:6px 0}}
  """
