//! Whether commands of the AWS CLI only look.

/// How the names of operations begin that change nothing.
const READ: [&str; 12] = [
    "batch-get-",
    "describe-",
    "filter-",
    "get-",
    "head-",
    "list-",
    "lookup-",
    "search-",
    "simulate-",
    "test-",
    "validate-",
    "view-",
];
/// Commands that change nothing and are called otherwise.
const ALSO: [&str; 2] = ["wait", "ls"];

/// True if every command of the AWS CLI in the text is known to change nothing. What cannot be told changes something.
pub(super) fn only_looks(text: &str) -> bool {
    let is_edge =
        |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ';' | '|' | '&' | '"' | '`' | '\'');
    let words: Vec<&str> = text.split(is_edge).filter(|word| !word.is_empty()).collect();
    let mut commands = words.iter().enumerate().filter(|(_, word)| **word == "aws").map(|(at, _)| at).peekable();
    commands.peek().is_some()
        && commands.all(|at| {
            let operation = words.get(at + 2);
            let service = words.get(at + 1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            service
                && operation.is_some_and(|operation| {
                    ALSO.contains(operation) || READ.iter().any(|beginning| operation.starts_with(beginning))
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_look_changes_something() {
        for text in [
            "aws ec2 describe-instances --region eu-west-1",
            "id=$(aws ec2 describe-volumes --query 'Volumes[0]')\ntest \"$id\" = a && aws ec2 wait volume-available",
            "aws s3 ls s3://bucket | head -n 1",
        ] {
            assert!(only_looks(text), "{text}");
        }
        for text in [
            "aws ec2 describe-volumes; aws ec2 delete-volume --volume-id vol-1",
            "x=\"$(aws ec2 create-snapshot)\"",
            "aws --region eu-west-1 ec2 describe-volumes",
            "aws ec2",
            "aws s3 rm s3://bucket",
            "rm -rf ~",
            "",
        ] {
            assert!(!only_looks(text), "{text}");
        }
    }
}
