"""Spoken codes and numbers, and what is typed for them, by language.

The rules were tuned on ``TUNED``; ``HELD_BACK`` was written before them and read only when they were done. Several ways of
typing one thing are parted by a bar.
"""

from __future__ import annotations

TUNED = {
    "en": """
        My ticket is E eighteen. = My ticket is E18.
        The code is four seven one one two. = The code is 47112.
        agent double oh seven = agent 007
        It was in twenty twenty four. = It was in 2024.
        five hundred and twenty euros = 520 euros | €520
        Wake me at half past ten. = Wake me at 10:30.
        Flight B A two four nine is late. = Flight BA249 is late.
        Room three oh five, please. = Room 305, please.
        Call five five five one two three four. = Call 5551234.
        It takes twenty-five minutes. = It takes 25 minutes.
        The PIN is one two three four. = The PIN is 1234.
        I was born in nineteen eighty four. = I was born in 1984.
        three point one four = 3.14
        Go to gate B seven. = Go to gate B7.
        It costs nineteen dollars. = It costs 19 dollars. | It costs $19.
        fifty percent of it = 50% of it | 50 percent of it
        The error code is X nine zero. = The error code is X90.
        at quarter past six = at 6:15
        one hundred and twenty three = 123
        It is six pm. = It is 6 pm.
        extension four two = extension 42
        order number seven seven triple zero = order number 77000
        version two point five = version 2.5
        We meet at nine thirty. = We meet at 9:30.
        Vitamin B twelve = Vitamin B12
        the twenty-first of May = the 21st of May
        The code is 4 7 1 1 2. = The code is 47112.
        Bus E 18 is here. = Bus E18 is here.
        two thousand and five = 2005
        forty two = 42
    """,
    "zh": """
        我的票是E十八。 = 我的票是E18。
        密码是四七一一二。 = 密码是47112。
        幺三八零零一二三四五六 = 13800123456
        二零二四年五月六号 = 2024年5月6号
        五百二十欧元 = 520欧元 | €520
        三点半叫我。 = 3点半叫我。 | 3:30叫我。
        航班CA一八三五 = 航班CA1835
        三零五房间 = 305房间
        百分之五十 = 50%
        三点一四 = 3.14
        十点三十分 = 10点30分 | 10:30
        一共三百二十块。 = 一共320块。
        我住十八楼。 = 我住18楼。
        今天二十五度。 = 今天25度。
        三万五千元 = 35000元
        坐六号线。 = 坐6号线。
        下午三点开会。 = 下午3点开会。
        验证码是八八零二。 = 验证码是8802。
        第二十三页 = 第23页
        一百零一 = 101
        十分钟以后 = 10分钟以后
        B三出口 = B3出口
        零点五 = 0.5
        五百万人 = 500万人
        电话是零一零六二七八。 = 电话是0106278。
    """,
    "ja": """
        番号は四七一一二です。 = 番号は47112です。
        三時半に会いましょう。 = 3時半に会いましょう。
        二千二十四年五月六日 = 2024年5月6日
        五百円です。 = 500円です。
        E十八のバス = E18のバス
        三百二号室 = 302号室
        三十五度 = 35度
        百パーセント = 100パーセント | 100%
        午後三時 = 午後3時
        二〇二四年 = 2024年
        零三の一二三四の五六七八 = 03-1234-5678
        十五分かかります。 = 15分かかります。
        三点一四 = 3.14
        二十歳です。 = 20歳です。
        一万二千円 = 12000円 | 1万2000円 | 1万2千円
        暗証番号は〇九一三です。 = 暗証番号は0913です。
        十二番線 = 12番線
    """,
}

HELD_BACK = {
    "en": """
        The reference is K nine L four. = The reference is K9L4.
        My number is oh seven nine double one three two. = My number is 0791132.
        The car has two hundred horsepower. = The car has 200 horsepower.
        in nineteen ninety nine = in 1999
        seat fourteen C = seat 14C
        It was seventy-five euros. = It was 75 euros. | It was €75.
        a quarter to five = 4:45
        Terminal two, gate A twelve = Terminal 2, gate A12
        zero point two five = 0.25
        The postcode is two one double four. = The postcode is 2144.
        Meet me at eight forty-five. = Meet me at 8:45.
        Flight L H four oh one = Flight LH401
        twelve thousand five hundred = 12500 | 12,500
        ninety-nine percent = 99% | 99 percent
        since two thousand and eighteen = since 2018
        The password is nine eight seven six. = The password is 9876.
        room twelve oh four = room 1204
        The model is X two hundred. = The model is X200.
        at five thirty pm = at 5:30 pm
        My code is 9, 3, 3, 0. = My code is 9330.
        on May sixth = on May 6 | on May 6th
        one million two hundred thousand = 1200000 | 1,200,000 | 1.2 million
        two point five million = 2.5 million
        one thousand and one = 1001
        three dollars fifty = 3 dollars 50 | $3.50
        eighteen hundred = 1800
        error E zero four = error E04
        ten kilometers away = 10 kilometers away
        Platform nine = Platform 9
        the year twenty thirty = the year 2030
    """,
    "zh": """
        我的座位是F十二。 = 我的座位是F12。
        代码是九三三零。 = 代码是9330。
        一九九八年 = 1998年
        七十五块钱 = 75块钱
        八点四十五分出发 = 8点45分出发 | 8:45出发
        T二航站楼 = T2航站楼
        百分之三点五 = 3.5%
        房号是幺二零四。 = 房号是1204。
        一千零二十四 = 1024
        十二月二十五日 = 12月25日
        三号楼二单元 = 3号楼二单元 | 3号楼2单元
        车牌是京A八八六六八。 = 车牌是京A88668。
        晚上八点见。 = 晚上8点见。
        二十多个人 = 20多个人
        零下十五度 = 零下15度
        两百公里 = 200公里
        四点一刻 = 4点一刻 | 4:15
        一点五倍 = 1.5倍
        邮编一零零八七一 = 邮编100871
        G一三二次列车 = G132次列车
        五公里 = 5公里
        三十八岁 = 38岁
        十二点整 = 12点整 | 12:00
        两万三千 = 23000
        上午九点十五 = 上午9点15 | 上午9:15
    """,
    "ja": """
        コードは九三三〇です。 = コードは9330です。
        千九百九十八年 = 1998年
        十時十五分発 = 10時15分発
        座席はF十二です。 = 座席はF12です。
        七十五ユーロ = 75ユーロ | €75
        二十五パーセント = 25パーセント | 25%
        十二月二十五日 = 12月25日
        三千八百円 = 3800円
        一〇二四号室 = 1024号室
        午前九時 = 午前9時
        零点五 = 0.5
        電話は零九〇の一二三四の五六七八です。 = 電話は090-1234-5678です。
        四十二キロ = 42キロ
        百二十人 = 120人
        二十三階 = 23階
        五百万円 = 500万円
        B三出口 = B3出口
    """,
}


def cases(table: str) -> list[tuple[str, list[str]]]:
    """What is said, and what may be typed for it."""
    lines = (line.strip().partition(" = ") for line in table.strip().splitlines())
    return [(said, [one.strip() for one in typed.split("|")]) for said, _, typed in lines]
