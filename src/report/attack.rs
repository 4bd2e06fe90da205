//! What tags say of MITRE ATT&CK: `attack.t1098`, `attack.t1098.003`, `attack.persistence`.

/// The version of ATT&CK by which tags are checked; see `schemas/attack-techniques.txt`.
pub(super) const VERSION: &str = "17.0";

/// The tactics, as ATT&CK and Security Hub spell them, with their ids.
const TACTICS: [(&str, &str); 14] = [
    ("Reconnaissance", "TA0043"),
    ("Resource Development", "TA0042"),
    ("Initial Access", "TA0001"),
    ("Execution", "TA0002"),
    ("Persistence", "TA0003"),
    ("Privilege Escalation", "TA0004"),
    ("Defense Evasion", "TA0005"),
    ("Credential Access", "TA0006"),
    ("Discovery", "TA0007"),
    ("Lateral Movement", "TA0008"),
    ("Collection", "TA0009"),
    ("Command and Control", "TA0011"),
    ("Exfiltration", "TA0010"),
    ("Impact", "TA0040"),
];

/// A tag of ATT&CK.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Attack {
    /// Its id, such as `T1098`, and that of the sub-technique, such as `T1098.003`.
    Technique(String, Option<String>),
    /// Its name and its id.
    Tactic(&'static str, &'static str),
}

/// What the tags say, in their order.
pub(super) fn of(tags: &[String]) -> impl Iterator<Item = Attack> {
    tags.iter().filter_map(|tag| {
        let name = tag.strip_prefix("attack.")?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let number = name.strip_prefix('t').filter(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
        if let Some(number) = number {
            let (technique, sub) = number.split_once('.').map_or((number, None), |(of, sub)| (of, Some(sub)));
            let known = is_number(technique) && sub.is_none_or(is_number);
            return known
                .then(|| Attack::Technique(format!("T{technique}"), sub.map(|sub| format!("T{technique}.{sub}"))));
        }
        let is = |tactic: &str| tactic.to_ascii_lowercase().replace(' ', "-") == name.replace('_', "-");
        TACTICS.iter().find(|(tactic, _)| is(tactic)).map(|(name, id)| Attack::Tactic(name, id))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_techniques_and_tactics() {
        let tags =
            ["attack.t1098", "cis.1.1", "attack.t1098.003", "attack.privilege-escalation", "attack.none", "attack.t1x"];
        let found: Vec<Attack> = of(&tags.map(str::to_owned)).collect();
        let technique = |sub: Option<&str>| Attack::Technique("T1098".to_owned(), sub.map(str::to_owned));
        let tactic = Attack::Tactic("Privilege Escalation", "TA0004");
        assert_eq!(found, [technique(None), technique(Some("T1098.003")), tactic]);
    }
}
