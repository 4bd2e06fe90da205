//! Reads `window:` of a front matter, with every mistake in it.

use super::Reader;
use crate::policy::when::parse_path;
use crate::policy::window::{Key, Shape as Asked, Window, span};
use crate::record::CLOUDTRAIL;
use crate::script::{Named, parse_duration};
use crate::yaml::Yaml;

impl Reader<'_> {
    /// The window, if there is one and it can be read.
    pub(super) fn window(&mut self, judges: Option<&str>) -> Option<Window> {
        let head = self.head;
        let yaml = head.yaml.get("window")?;
        let start = self.out.len();
        if judges.is_some_and(|judges| judges != CLOUDTRAIL) {
            let span = head.yaml.key_span("window");
            let help = Some("judge `cloudtrail`, or leave the window out".to_owned());
            self.say("window", &span, "only events have a time: a policy that judges resources has no window", help);
        }
        let (shape, steps) = self.asked(yaml)?;
        let within_of = if matches!(shape, Asked::FirstSeen) { "first_seen" } else { "within" };
        let within = self.duration(yaml, within_of, 1);
        let cooldown = yaml.get("cooldown").map(|_| self.duration(yaml, "cooldown", 0));
        let by = match yaml.get("by") {
            None => {
                let span = head.yaml.key_span("window");
                let help =
                    Some("`by: userIdentity.arn`: a field, a function of the policy, or a list of them".to_owned());
                self.say("window", &span, "the window has no `by`, which says whose hits belong together", help);
                Vec::new()
            }
            Some(by) => {
                let items = if by.items().is_empty() { std::slice::from_ref(by) } else { by.items() };
                items.iter().filter_map(|item| self.window_key(item)).collect()
            }
        };
        self.one_of_each(yaml, &shape, &by);
        let counted = if let Asked::Distinct { of, .. } = &shape { Some(of.text.clone()) } else { None };
        let keys = by.iter().map(|key: &Key| key.text.clone()).chain(counted).collect();
        let within = within?;
        let cooldown = cooldown.unwrap_or(Some(within))?;
        if matches!(shape, Asked::FirstSeen) && cooldown > within {
            let help = format!("`first_seen: {}`, or no `cooldown`", span(cooldown));
            let message = "the cooldown is longer than `first_seen`: what is the first sighting would depend on how far back is \
                           read";
            self.say("window", &yaml.key_span("cooldown"), message, Some(help));
        }
        let window = Window { by, within, cooldown, shape, named: Named { steps, keys } };
        (self.out.len() == start).then_some(window)
    }

    /// What a window asks, and the steps that it names.
    fn asked(&mut self, yaml: &Yaml) -> Option<(Asked, Vec<String>)> {
        const SHAPES: [&str; 6] = ["count", "distinct", "sequence", "all", "after", "first_seen"];
        let head = self.head;
        let window = head.yaml.key_span("window");
        let has: Vec<&str> = SHAPES.into_iter().filter(|name| yaml.get(name).is_some()).collect();
        let &[shape] = has.as_slice() else {
            let message = match has.as_slice() {
                [] => "the window does not say what it asks".to_owned(),
                [_, second, ..] => {
                    let span = yaml.key_span(second);
                    self.say("window", &span, format!("a window asks one thing: `{}`, or `{second}`", has[0]), None);
                    return None;
                }
                [_] => return None,
            };
            let help = "`count`, `distinct`, `sequence`, `all`, `after` with `absent`, or `first_seen`";
            self.say("window", &window, message, Some(help.to_owned()));
            return None;
        };
        let beside: &[&str] = match shape {
            "after" => &["within", "absent"],
            "first_seen" => &[],
            _ => &["within"],
        };
        for name in ["within", "absent"] {
            if yaml.get(name).is_none() && beside.contains(&name) {
                let help = if name == "within" { "`within: 10m`" } else { "`absent: name_of_a_function`" };
                self.say("window", &window, format!("`{shape}` needs `{name}`"), Some(help.to_owned()));
            } else if yaml.get(name).is_some() && !beside.contains(&name) {
                let span = yaml.key_span(name);
                self.say(
                    "window",
                    &span,
                    format!("`{name}` means nothing beside `{shape}`"),
                    Some("leave it out".to_owned()),
                );
            }
        }
        let value = yaml.get(shape)?;
        let mut steps: Vec<String> = Vec::new();
        let mut numbers = Vec::new();
        let mut step = |item: &Yaml| {
            let name = item.raw().unwrap_or_default();
            let at = steps.iter().position(|known| known == name).unwrap_or_else(|| {
                steps.push(name.to_owned());
                steps.len() - 1
            });
            numbers.push(u8::try_from(at).unwrap_or(u8::MAX));
        };
        let asked = match shape {
            "count" => Asked::Threshold(self.least(value, 1_000_000)?),
            "distinct" => {
                let of = value.get("of").and_then(|of| self.window_key(of));
                let count = value.get("count").and_then(|count| self.least(count, 10_000));
                Asked::Distinct { of: of?, count: count? }
            }
            "sequence" | "all" => {
                value.items().iter().for_each(&mut step);
                let (given, different) = (numbers.len(), steps.len());
                if given < 2 || different > 16 || given > 16 || (shape == "all" && given != different) {
                    let message = format!(
                        "`{shape}` names two to sixteen steps{}",
                        if shape == "all" { ", each once" } else { "" }
                    );
                    self.say("window", &value.span, message, None);
                    return None;
                }
                if shape == "all" { Asked::All } else { Asked::Sequence(numbers) }
            }
            "after" => {
                step(value);
                step(yaml.get("absent")?);
                if steps.len() < 2 {
                    self.say("window", &value.span, "`after` and `absent` are the same step", None);
                    return None;
                }
                Asked::Absence
            }
            _ => Asked::FirstSeen,
        };
        if let Some(at) = steps.iter().position(|name| name == "matches").filter(|at| at + 1 < steps.len()) {
            let message = format!("every hit is `matches`, so that none is `{}`", steps[at + 1]);
            let help =
                "a hit is the first step that it fits: name `matches` last, or a function of the policy".to_owned();
            self.say("window", &value.span, message, Some(help));
            return None;
        }
        Some((asked, steps))
    }

    /// Says what can be met once only among the hits of a group.
    fn one_of_each(&mut self, yaml: &Yaml, shape: &Asked, by: &[Key]) {
        let (span, help) = (yaml.key_span("by"), Some("group by what several hits have in common".to_owned()));
        if by.iter().any(|key| key.text == "eventID") {
            self.say("window", &span, "every event has an `eventID` of its own: a group would be one hit", help);
        } else if let Asked::Distinct { of, .. } = shape
            && by.iter().any(|key| key.text == of.text)
        {
            let message = format!("all hits of a group have one `{}`: there are never two", of.text);
            self.say("window", &span, message, help);
        }
    }

    /// The least number that a condition such as `>= 5` wants.
    fn least(&mut self, yaml: &Yaml, most: usize) -> Option<usize> {
        let text = yaml.raw()?.trim();
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let least = match (text.strip_prefix(">="), text.strip_prefix('>')) {
            (Some(least), _) => number(least),
            (None, Some(above)) => number(above).and_then(|above| above.checked_add(1)),
            (None, None) => number(text),
        };
        let found = least.filter(|least| (1..=most).contains(least));
        if found.is_none() {
            let message = format!("`{text}` is no number of hits that a window can wait for");
            self.say("window", &yaml.span, message, Some(format!("`\">= 5\"`: 1 to {most}")));
        }
        found
    }

    /// The seconds of a member that is a duration.
    fn duration(&mut self, yaml: &Yaml, name: &str, least: i64) -> Option<i64> {
        const MOST: i64 = 400 * 86_400;
        let value = yaml.get(name)?;
        let text = value.raw().unwrap_or_default();
        let found = parse_duration(text).filter(|seconds| (least..=MOST).contains(seconds));
        if found.is_none() {
            let message = format!("`{name}: {text}` is no duration from {} to {}", span(least), span(MOST));
            self.say("window", &value.span, message, Some("such as `10m`, `1h30m` or `14d`".to_owned()));
        }
        found
    }

    /// What hits are grouped or counted by.
    fn window_key(&mut self, yaml: &Yaml) -> Option<Key> {
        let text = yaml.raw()?.to_owned();
        match parse_path(&text) {
            Ok(path) => Some(Key { text, path }),
            Err(reason) => {
                let help = Some("a field, such as `userIdentity.arn`, or a function of the policy".to_owned());
                self.say("window", &yaml.span, format!("`{text}` is no key: {reason}"), help);
                None
            }
        }
    }
}
