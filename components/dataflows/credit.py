"""Features of a loan application (Statlog German Credit Data), one idea each.

Every node takes the raw columns of a table as pandas Series, or of one application as scalars.

Left out on purpose: `personal_status_and_sex` and `foreign_worker`. Sex, marital status and nationality are
protected characteristics: a lender may not let them move a credit decision (for example Directive
2004/113/EC in the EU, the Equal Credit Opportunity Act in the US). They stay in the table, so that outcomes
can be compared between groups. Age may be used in many places where the model is statistically sound, in some
not at all: take `age` and `amount_per_year_of_age` off the list of features there. Leaving a column
out does not remove what other columns tell about it.
"""

# Hamilton ships no types, so its decorators hide those of the functions from mypy.
# mypy: disable-error-code="untyped-decorator"

from hamilton.function_modifiers import tag

from components.dataflows.columns import Number, Text, flag, logarithm, ordinal


@tag(unit="years")
def duration(duration_in_month: Number) -> Number:
    """Time over which the loan is paid back."""
    return duration_in_month / 12


@tag(unit="ln DM")
def amount_log(credit_amount: Number) -> Number:
    """Size of the loan, on a scale where a doubling counts the same everywhere."""
    return logarithm(credit_amount)


@tag(unit="DM/month")
def credit_per_month(credit_amount: Number, duration_in_month: Number) -> Number:
    """What has to be paid back each month, interest aside."""
    return credit_amount / duration_in_month


@tag(unit="percent")
def installment_rate(installment_rate_in_percentage_of_disposable_income: Number) -> Number:
    """Share of the disposable income that the instalment takes, as the bank recorded it."""
    return installment_rate_in_percentage_of_disposable_income * 1.0


@tag(unit="percent years")
def burden(installment_rate: Number, duration: Number) -> Number:
    """How much of the income is bound for how long."""
    return installment_rate * duration


@tag(unit="years")
def age(age_in_years: Number) -> Number:
    """Age of the applicant."""
    return age_in_years * 1.0


@tag(unit="DM/year")
def amount_per_year_of_age(credit_amount: Number, age_in_years: Number) -> Number:
    """Size of the loan against the time there was to build wealth."""
    return credit_amount / age_in_years


@tag(scale="ordinal")
def checking_level(status_of_existing_checking_account: Text) -> Number:
    """Balance of the checking account: overdrawn, small, large, held elsewhere or nowhere."""
    ranks = {
        "... < 0 DM": 0,
        "0 <= ... < 200 DM": 1,
        "... >= 200 DM / salary assignments for at least 1 year": 2,
        "no checking account": 3,
    }
    return ordinal(status_of_existing_checking_account, ranks)


@tag(scale="flag")
def checking_absent(status_of_existing_checking_account: Text) -> Number:
    """Whether there is no checking account at this bank."""
    return flag(status_of_existing_checking_account, "no checking account")


@tag(scale="ordinal")
def savings_level(savings_account_and_bonds: Text) -> Number:
    """Savings, from none or unknown to 1,000 DM and more."""
    ranks = {
        "unknown/ no savings account": 0,
        "... < 100 DM": 1,
        "100 <= ... < 500 DM": 2,
        "500 <= ... < 1000 DM": 3,
        "... >= 1000 DM": 4,
    }
    return ordinal(savings_account_and_bonds, ranks)


@tag(scale="flag")
def savings_unknown(savings_account_and_bonds: Text) -> Number:
    """Whether the bank knows of no savings."""
    return flag(savings_account_and_bonds, "unknown/ no savings account")


@tag(scale="ordinal")
def employment_level(present_employment_since: Text) -> Number:
    """Time in the present employment, from unemployed to seven years and more."""
    ranks = {
        "unemployed": 0,
        "... < 1 year": 1,
        "1 <= ... < 4 years": 2,
        "4 <= ... < 7 years": 3,
        "... >= 7 years": 4,
    }
    return ordinal(present_employment_since, ranks)


@tag(scale="ordinal")
def residence_level(present_residence_since: Number) -> Number:
    """Time at the present address, in four steps."""
    return present_residence_since * 1.0


@tag(scale="ordinal")
def stability(employment_level: Number, residence_level: Number) -> Number:
    """Long in the job and long at the address."""
    return employment_level + residence_level


@tag(scale="ordinal")
def history_level(credit_history: Text) -> Number:
    """Past credits, in the order of the source: from none to a critical account."""
    ranks = {
        "no credits taken/ all credits paid back duly": 0,
        "all credits at this bank paid back duly": 1,
        "existing credits paid back duly till now": 2,
        "delay in paying off in the past": 3,
        "critical account/ other credits existing (not at this bank)": 4,
    }
    return ordinal(credit_history, ranks)


@tag(scale="count")
def existing_credits(number_of_existing_credits_at_this_bank: Number) -> Number:
    """Credits at this bank."""
    return number_of_existing_credits_at_this_bank * 1.0


@tag(scale="flag")
def plan_elsewhere(other_installment_plans: Text) -> Number:
    """Whether instalments are paid to another bank or to stores."""
    return flag(other_installment_plans, "bank", "stores")


@tag(scale="flag")
def guarantor_present(other_debtors_or_guarantors: Text) -> Number:
    """Whether somebody else stands in."""
    return flag(other_debtors_or_guarantors, "guarantor")


@tag(scale="flag")
def co_applicant_present(other_debtors_or_guarantors: Text) -> Number:
    """Whether somebody else applies too."""
    return flag(other_debtors_or_guarantors, "co-applicant")


@tag(scale="ordinal")
def property_level(property: Text) -> Number:
    """Most valuable property: none known, car, building society or insurance, real estate."""
    ranks = {
        "unknown / no property": 0,
        "car or other, not in attribute Savings account/bonds": 1,
        "building society savings agreement/ life insurance": 2,
        "real estate": 3,
    }
    return ordinal(property, ranks)


@tag(scale="flag")
def home_owned(housing: Text) -> Number:
    """Whether the applicant owns the home."""
    return flag(housing, "own")


@tag(scale="ordinal")
def job_level(job: Text) -> Number:
    """Qualification of the job."""
    ranks = {
        "unemployed/ unskilled - non-resident": 0,
        "unskilled - resident": 1,
        "skilled employee / official": 2,
        "management/ self-employed/ highly qualified employee/ officer": 3,
    }
    return ordinal(job, ranks)


@tag(scale="flag")
def telephone_registered(telephone: Text) -> Number:
    """Whether a telephone is registered in the applicant's name."""
    return flag(telephone, "yes, registered under the customers name")


@tag(scale="flag")
def purpose_new_car(purpose: Text) -> Number:
    """Whether the loan pays for a new car."""
    return flag(purpose, "car (new)")


@tag(scale="flag")
def purpose_used_car(purpose: Text) -> Number:
    """Whether the loan pays for a used car."""
    return flag(purpose, "car (used)")


@tag(scale="flag")
def purpose_household(purpose: Text) -> Number:
    """Whether the loan pays for things of the home."""
    return flag(purpose, "radio/television", "furniture/equipment", "domestic appliances", "repairs")


@tag(scale="flag")
def purpose_education(purpose: Text) -> Number:
    """Whether the loan pays for education or retraining."""
    return flag(purpose, "education", "retraining")


@tag(scale="flag")
def purpose_business(purpose: Text) -> Number:
    """Whether the loan pays for a business."""
    return flag(purpose, "business")
