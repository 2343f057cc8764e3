"""What a finding says to the person who set up the integration: the row, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from worker.checks.finding import Finding, FindingCode
from worker.fiscal.sentence_texts import Sentence, in_each

#: How a rate is written: a percent, or a rate that is none.
_NOT_ACCOUNTABLE = in_each("«без ПДВ»", "«без НДС»", "no VAT")
_RATES = frozenset({"rate", "checkboxRate"})


def message(finding: Finding) -> Sentence:
    """In three languages, each one line."""
    texts = TEXTS[finding.code, finding.variant]
    return {
        language: text.format_map(
            {name: _written(name, fact, language) for name, fact in finding.facts.items()}
        )
        for language, text in texts.items()
    }


def _written(name: str, fact: str, language: str) -> str:
    if name == "date":
        return date.fromisoformat(fact).strftime("%d.%m.%Y")
    if name not in _RATES:
        return " ".join(fact.split())
    return _NOT_ACCOUNTABLE[language] if fact == "not_accountable" else f"{fact} %"


TEXTS: Mapping[tuple[FindingCode, str], Sentence] = {
    (FindingCode.CONFIGURATION_INVALID, ""): in_each(
        "{row}: помилка в налаштуваннях, виправте її: {problem}",
        "{row}: ошибка в настройках, исправьте её: {problem}",
        "{row}: a mistake in the settings, correct it: {problem}",
    ),
    (FindingCode.SUBSCRIPTION_ENDED, ""): in_each(
        "Підписка Checkbox або строк оплати закінчилися {date}, оплатіть їх у Checkbox",
        "Подписка Checkbox или срок оплаты закончились {date}, оплатите их в Checkbox",
        "Checkbox's subscription or term of payment ended on {date}, pay it there",
    ),
    (FindingCode.SUBSCRIPTION_ENDED, "refused"): in_each(
        "Checkbox не обслуговує організацію («{words}»), оплатіть підписку або борг у Checkbox",
        "Checkbox не обслуживает организацию («{words}»), оплатите подписку или долг в Checkbox",
        "Checkbox refuses the organization its service («{words}»), pay the subscription or debt there",
    ),
    (FindingCode.SUBSCRIPTION_ENDS, ""): in_each(
        "Підписка Checkbox або строк оплати діє до {date}, оплатіть їх у Checkbox",
        "Подписка Checkbox или срок оплаты действует до {date}, оплатите их в Checkbox",
        "Checkbox's subscription or term of payment ends on {date}, pay it there",
    ),
    (FindingCode.TAX_CODE_UNKNOWN, ""): in_each(
        "Ставка {rate}: коду {code} у Checkbox немає. Для {rate} там код {fittingCode}",
        "Ставка {rate}: кода {code} в Checkbox нет. Для {rate} там код {fittingCode}",
        "Rate {rate}: Checkbox has no code {code}. Its code for {rate} is {fittingCode}",
    ),
    (FindingCode.TAX_CODE_UNKNOWN, "no_code"): in_each(
        "Ставка {rate}: ані коду {code}, ані такої ставки в Checkbox немає. Додайте податок у Checkbox",
        "Ставка {rate}: ни кода {code}, ни такой ставки в Checkbox нет. Добавьте налог в Checkbox",
        "Rate {rate}: Checkbox has neither code {code} nor the rate. Add the tax at Checkbox",
    ),
    (FindingCode.TAX_RATE_MISMATCH, ""): in_each(
        "Ставка {rate}: код {code} у Checkbox має {checkboxRate}. Для {rate} там код {fittingCode}",
        "Ставка {rate}: код {code} в Checkbox имеет {checkboxRate}. Для {rate} там код {fittingCode}",
        "Rate {rate}: code {code} has {checkboxRate} at Checkbox. Its code for {rate} is {fittingCode}",
    ),
    (FindingCode.TAX_RATE_MISMATCH, "no_code"): in_each(
        "Ставка {rate}: код {code} у Checkbox має {checkboxRate}, коду для {rate} там немає. Додайте податок",
        "Ставка {rate}: код {code} в Checkbox имеет {checkboxRate}, кода для {rate} там нет. Добавьте налог",
        "Rate {rate}: code {code} has {checkboxRate} at Checkbox, and no code has {rate}. Add the tax there",
    ),
    (FindingCode.TAX_NO_VAT_DIFFERS, "not_accountable"): in_each(
        "Ставка {rate}: код {code} у Checkbox («{label}») не є податком «без ПДВ», перевірте код",
        "Ставка {rate}: код {code} в Checkbox («{label}») не является налогом «без НДС», проверьте код",
        "Rate {rate}: code {code} at Checkbox («{label}») is not the tax without VAT, check the code",
    ),
    (FindingCode.TAX_NO_VAT_DIFFERS, "percent"): in_each(
        "Ставка {rate}: код {code} у Checkbox («{label}») є податком «без ПДВ», перевірте код",
        "Ставка {rate}: код {code} в Checkbox («{label}») является налогом «без НДС», проверьте код",
        "Rate {rate}: code {code} at Checkbox («{label}») is the tax without VAT, check the code",
    ),
    (FindingCode.TAX_CODE_WITH_EXCISE, ""): in_each(
        "Ставка {rate}: код {code} у Checkbox додає акциз {excise} %, перевірте, чи товари підакцизні",
        "Ставка {rate}: код {code} в Checkbox добавляет акциз {excise} %, проверьте, подакцизные ли товары",
        "Rate {rate}: code {code} adds {excise} % of excise at Checkbox, check that the goods are excisable",
    ),
    (FindingCode.TAX_RATE_WITHOUT_ROW, ""): in_each(
        "Checkbox має ставку {rate} (код {code}), якої немає в таблиці",
        "В Checkbox есть ставка {rate} (код {code}), которой нет в таблице",
        "Checkbox has the rate {rate} (code {code}), which the table lacks",
    ),
    (FindingCode.VAT_PAYER_MISMATCH, "no_payer"): in_each(
        "Організація не є платником ПДВ, а таблиця має ставку {rate}: спитайте бухгалтера",
        "Организация не является плательщиком НДС, а в таблице есть ставка {rate}: спросите бухгалтера",
        "The organization does not pay VAT, and the table has the rate {rate}: ask the accountant",
    ),
    (FindingCode.VAT_PAYER_MISMATCH, "payer"): in_each(
        "Організація є платником ПДВ, а таблиця має лише «без ПДВ»: спитайте бухгалтера",
        "Организация является плательщиком НДС, а в таблице только «без НДС»: спросите бухгалтера",
        "The organization pays VAT, and the table has nothing but no VAT: ask the accountant",
    ),
    (FindingCode.SIGN_IN_REFUSED, "password"): in_each(
        "{row}: Checkbox не прийняв логін або пароль («{words}»), введіть правильні",
        "{row}: Checkbox не принял логин или пароль («{words}»), введите правильные",
        "{row}: Checkbox refused the login or password («{words}»), enter the right ones",
    ),
    (FindingCode.SIGN_IN_REFUSED, "pin_code"): in_each(
        "{row}: Checkbox не прийняв PIN-код («{words}»), введіть правильний",
        "{row}: Checkbox не принял PIN-код («{words}»), введите правильный",
        "{row}: Checkbox refused the PIN («{words}»), enter the right one",
    ),
    (FindingCode.LICENSE_KEY_REFUSED, ""): in_each(
        "{row}: Checkbox не прийняв ключ ліцензії, введіть ключ потрібної каси",
        "{row}: Checkbox не принял ключ лицензии, введите ключ нужной кассы",
        "{row}: Checkbox refused the licence key, enter that of the right register",
    ),
    (FindingCode.CASHIER_BLOCKED, ""): in_each(
        "{row}: касира заблоковано в Checkbox, розблокуйте його там",
        "{row}: кассир заблокирован в Checkbox, разблокируйте его там",
        "{row}: the cashier is blocked at Checkbox, have them unblocked there",
    ),
    (FindingCode.OTHER_ORGANIZATION, ""): in_each(
        "{row}: касир і каса {register} з різних організацій, виправте логін або ключ ліцензії",
        "{row}: кассир и касса {register} из разных организаций, исправьте логин или ключ лицензии",
        "{row}: the cashier and register {register} are of different organizations, correct login or key",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "test"): in_each(
        "{row}: каса або касир тестові, чеки не мають сили: вкажіть робочі, а для спроб environment: test",
        "{row}: касса или кассир тестовые, чеки не имеют силы: укажите рабочие, а для проб environment: test",
        "{row}: a test register or cashier, receipts do not count: use live ones, or environment: test",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "live"): in_each(
        "{row}: каса або касир робочі, а оголошено тестові: вкажіть тестові або environment: live",
        "{row}: касса или кассир рабочие, а объявлены тестовые: укажите тестовые или environment: live",
        "{row}: a live register or cashier where test is declared: use test ones, or environment: live",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "test_register"): in_each(
        "{row}: робочий касир на тестовій касі, вкажіть касира й касу одного виду",
        "{row}: рабочий кассир на тестовой кассе, укажите кассира и кассу одного вида",
        "{row}: a live cashier at a test register, use a cashier and a register of one kind",
    ),
    (FindingCode.WRONG_ENVIRONMENT, "live_register"): in_each(
        "{row}: тестовий касир на робочій касі, вкажіть касира й касу одного виду",
        "{row}: тестовый кассир на рабочей кассе, укажите кассира и кассу одного вида",
        "{row}: a test cashier at a live register, use a cashier and a register of one kind",
    ),
    (FindingCode.WRONG_REGISTER, ""): in_each(
        "{row}: зміну відкрито на касі {register}, а ключ ліцензії від каси {expectedRegister}: закрийте її "
        "або виправте ключ",
        "{row}: смена открыта на кассе {register}, а ключ лицензии от кассы {expectedRegister}: закройте её "
        "или исправьте ключ",
        "{row}: the shift is open at register {register}, the licence key is of {expectedRegister}: close it "
        "or correct the key",
    ),
    (FindingCode.KEY_EXPIRED, ""): in_each(
        "{row}: ключ касира закінчився {date}, поновіть його в Checkbox",
        "{row}: ключ кассира истёк {date}, обновите его в Checkbox",
        "{row}: the cashier's key ended on {date}, renew it at Checkbox",
    ),
    (FindingCode.KEY_EXPIRES, ""): in_each(
        "{row}: ключ касира діє до {date}, замовте новий",
        "{row}: ключ кассира действует до {date}, закажите новый",
        "{row}: the cashier's key ends on {date}, order a new one",
    ),
    (FindingCode.KEY_CANNOT_SIGN, ""): in_each(
        "{row}: ключ касира не може підписати відкриття зміни, перевірте його в Checkbox",
        "{row}: ключ кассира не может подписать открытие смены, проверьте его в Checkbox",
        "{row}: the cashier's key cannot sign the opening of a shift, check it at Checkbox",
    ),
    (FindingCode.KEY_OFFLINE, ""): in_each(
        "{row}: програма з ключем касира зараз не відповідає, запустіть її",
        "{row}: программа с ключом кассира сейчас не отвечает, запустите её",
        "{row}: the program with the cashier's key does not answer now, start it",
    ),
    (FindingCode.SHIFT_OVER_20H, "manual"): in_each(
        "{row}: зміну відкрито {hours} год тому, закрийте її, доки не минуло 24",
        "{row}: смена открыта {hours} ч назад, закройте её, пока не прошло 24",
        "{row}: the shift was opened {hours} h ago, close it before it is 24 h old",
    ),
    (FindingCode.SHIFT_OVER_20H, "auto"): in_each(
        "{row}: зміну відкрито {hours} год тому, і її ще не закрито: перевірте, що заважає закриттю",
        "{row}: смена открыта {hours} ч назад, и она ещё не закрыта: проверьте, что мешает закрытию",
        "{row}: the shift was opened {hours} h ago and is not closed yet: check what prevents it",
    ),
    (FindingCode.REGISTER_OFFLINE, ""): in_each(
        "{row}: каса {register} працює офлайн, перевірте зв'язок із податковою",
        "{row}: касса {register} работает офлайн, проверьте связь с налоговой",
        "{row}: register {register} is offline, check its connection to the tax service",
    ),
    (FindingCode.OFFLINE_HOURS, "session"): in_each(
        "{row}: каса {register} офлайн уже {hours} год поспіль із {limit}, відновіть зв'язок",
        "{row}: касса {register} офлайн уже {hours} ч подряд из {limit}, восстановите связь",
        "{row}: register {register} is offline for {hours} of {limit} h in a row, restore the connection",
    ),
    (FindingCode.OFFLINE_HOURS, "month"): in_each(
        "{row}: каса {register} була офлайн {hours} год із {limit} дозволених на місяць, відновіть зв'язок",
        "{row}: касса {register} была офлайн {hours} ч из {limit} разрешённых в месяц, восстановите связь",
        "{row}: register {register} was offline for {hours} of {limit} h this month, restore the connection",
    ),
    (FindingCode.OFFLINE_CODES_LOW, ""): in_each(
        "{row}: у каси {register} залишилося офлайн-кодів: {count}. Зверніться до Checkbox",
        "{row}: у кассы {register} осталось офлайн-кодов: {count}. Обратитесь в Checkbox",
        "{row}: register {register} has {count} offline codes left, ask Checkbox",
    ),
    (FindingCode.NOT_CHECKED, ""): in_each(
        "{row}: Checkbox не відповів ({reason}), перевірку буде повторено",
        "{row}: Checkbox не ответил ({reason}), проверка будет повторена",
        "{row}: Checkbox did not answer ({reason}), the check will be repeated",
    ),
}
