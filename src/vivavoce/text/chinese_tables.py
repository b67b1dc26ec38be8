"""What Chinese numbers stand beside: codes, telephones, currencies, units."""

from __future__ import annotations

from vivavoce.text.rules import alternatives, table, words

FULL_WIDTH: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
FULL_WIDTH |= {ord(wide): narrow for wide, narrow in zip("％．＋－＄＠／～＝﹣−", "%.+-$@/~=--", strict=True)}
FULL_WIDTH |= {ord("○"): "零", ord("〇"): "零"}

CODES = (
    alternatives(
        words(
            """
        订单 订单号 单号 编号 验证码 动态码 校验码 激活码 邀请码 取件码 提取码 兑换码 代码 房间 房间号 房号 包间
        尾号 密码 口令 邮编 邮政编码 会员号 客户号 用户号 卡号 账号 帐号 学号 工号 门牌号 车牌 车牌号 航班 航班号
        端口 端口号 错误码 错误代码 状态码 型号 车次 序列号 流水号 合同号 发票号 分机 分机号 身份证号 座位号 客户编号 订单编号
        QQ号 微信号 病历号
        运单号 快递单号 案件编号 工单 工单号
        """
        )
    )
    + "|(?<![A-Za-z])(?:QQ|PIN|ID)"
)
PHONES = alternatives(
    words(
        """
        拨 拨打 致电 拨通 呼叫 热线 电话 手机 手机号 客服 打给 快打 请打 电话号码 手机号码 号码 联系电话
        """
    )
)
MONEY = table(
    """
    ¥=元, ￥=元, $=美元, US$=美元, €=欧元, £=英镑, ₩=韩元, ₽=卢布, ₹=卢比, ฿=泰铢, HK$=港元, A$=澳元, AU$=澳元,
    C$=加元, CA$=加元, NT$=新台币, S$=新加坡元, NZ$=新西兰元, JP¥=日元, RMB=元, CNY=元, USD=美元, EUR=欧元,
    GBP=英镑, JPY=日元, HKD=港元,
    KRW=韩元, AUD=澳元, CAD=加元, SGD=新加坡元, TWD=新台币, CHF=瑞士法郎, THB=泰铢, MOP=澳门元
    """
)
SIGNS = alternatives(MONEY)
UNITS = table(
    """
    km²=平方公里, m²=平方米, cm²=平方厘米, m³=立方米, cm³=立方厘米, km/h=公里每小时, m/s=米每秒, km=公里, m=米,
    cm=厘米, mm=毫米, kg=公斤, KG=公斤, g=克, mg=毫克, t=吨, ml=毫升, mL=毫升, l=升, L=升, ms=毫秒, s=秒,
    min=分钟, h=小时, kWh=千瓦时, mAh=毫安时, mmHg=毫米汞柱, kV=千伏, W=瓦, kW=千瓦, V=伏, Hz=赫兹, kHz=千赫, MHz=兆赫,
    GHz=吉赫, dB=分贝, ℃=摄氏度, °C=摄氏度, ℉=华氏度, °F=华氏度, °=度, ㎡=平方米, ㎞=公里, ㎏=公斤
    """
)
COMPARED = {
    "≥": "大于等于",
    "≤": "小于等于",
    "≠": "不等于",
    "≈": "约等于",
    ">": "大于",
    "<": "小于",
    ">=": "大于等于",
    "<=": "小于等于",
}
COMPARED |= {"=": "等于", "+": "加", "×": "乘", "÷": "除以", "*": "乘", "±": "正负", "−": "减"}
"""Signs of mathematics."""
