//! The plan for every system, as it is printed.

use super::*;

const BOTH: &[Need] = &[Need::Compiler, Need::OpenBlas];
const OPENBLAS: &[Need] = &[Need::OpenBlas];
const COMPILER: &[Need] = &[Need::Compiler];

fn text(manager: Manager, rights: Rights, missing: &[Need]) -> String {
    let lists = false;
    plan(&found(Some(manager), rights, missing, lists)).to_string()
}

fn found(manager: Option<Manager>, rights: Rights, missing: &[Need], lists: bool) -> Found {
    Found { missing: missing.to_vec(), unfit: Vec::new(), manager, rights, lists }
}

#[test]
fn plan_is_empty_where_everything_is_there() {
    for manager in
        [Some(Manager::Apt), Some(Manager::Dnf), Some(Manager::Pacman), Some(Manager::Brew), None]
    {
        for rights in [Rights::Root, Rights::Sudo, Rights::None] {
            for lists in [false, true] {
                let plan = plan(&found(manager, rights, &[], lists));
                assert_eq!(plan, Plan::Ready);
                assert_eq!(plan.to_string(), "");
            }
        }
    }
}

#[test]
fn plan_for_apt() {
    assert_eq!(
        text(Manager::Apt, Rights::Root, OPENBLAS),
        "This machine lacks OpenBLAS. Installing with:\n    \
             env DEBIAN_FRONTEND=noninteractive apt-get update\n    \
             env DEBIAN_FRONTEND=noninteractive apt-get install --yes libopenblas-dev"
    );
    assert_eq!(
        text(Manager::Apt, Rights::Sudo, BOTH),
        "This machine lacks a C compiler and OpenBLAS. Installing with:\n    \
             sudo env DEBIAN_FRONTEND=noninteractive apt-get update\n    \
             sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
             gcc libc6-dev libopenblas-dev"
    );
    assert_eq!(
        text(Manager::Apt, Rights::None, COMPILER),
        "This machine lacks a C compiler, and only an administrator can install that, \
         by typing:\n    \
             apt-get update\n    \
             apt-get install --yes gcc libc6-dev\n\
         Then run the same command again."
    );
}

#[test]
fn plan_fetches_lists_only_where_they_are_not_there() {
    for (manager, commands) in
        [(Manager::Apt, 2), (Manager::Dnf, 1), (Manager::Pacman, 2), (Manager::Brew, 1)]
    {
        for (lists, commands) in [(false, commands), (true, 1)] {
            match plan(&found(Some(manager), Rights::Root, OPENBLAS, lists)) {
                Plan::Install { commands: got, .. } => assert_eq!(got.len(), commands),
                other => panic!("{manager:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn plan_for_dnf() {
    assert_eq!(
        text(Manager::Dnf, Rights::Root, BOTH),
        "This machine lacks a C compiler and OpenBLAS. Installing with:\n    \
             dnf install --assumeyes gcc openblas-devel"
    );
    assert_eq!(
        text(Manager::Dnf, Rights::Sudo, OPENBLAS),
        "This machine lacks OpenBLAS. Installing with:\n    \
             sudo dnf install --assumeyes openblas-devel"
    );
    assert_eq!(
        text(Manager::Dnf, Rights::None, OPENBLAS),
        "This machine lacks OpenBLAS, and only an administrator can install that, \
         by typing:\n    \
             dnf install --assumeyes openblas-devel\n\
         Then run the same command again."
    );
}

#[test]
fn plan_for_pacman() {
    assert_eq!(
        text(Manager::Pacman, Rights::Root, COMPILER),
        "This machine lacks a C compiler. Installing with:\n    \
             pacman -Sy\n    \
             pacman -S --needed --noconfirm gcc"
    );
    assert_eq!(
        text(Manager::Pacman, Rights::Sudo, BOTH),
        "This machine lacks a C compiler and OpenBLAS. Installing with:\n    \
             sudo pacman -Sy\n    \
             sudo pacman -S --needed --noconfirm gcc openblas"
    );
    assert_eq!(
        text(Manager::Pacman, Rights::None, OPENBLAS),
        "This machine lacks OpenBLAS, and only an administrator can install that, \
         by typing:\n    \
             pacman -Sy\n    \
             pacman -S --needed --noconfirm openblas\n\
         Then run the same command again."
    );
}

#[test]
fn plan_for_brew_never_uses_sudo() {
    for rights in [Rights::Root, Rights::Sudo, Rights::None] {
        assert_eq!(
            text(Manager::Brew, rights, OPENBLAS),
            "This machine lacks OpenBLAS. Installing with:\n    \
                 brew install openblas"
        );
        assert_eq!(
            text(Manager::Brew, rights, BOTH),
            "This machine lacks a C compiler and OpenBLAS, and only you can install that, \
             by typing:\n    \
                 xcode-select --install\n    \
                 brew install openblas\n\
             Then run the same command again."
        );
        assert_eq!(
            text(Manager::Brew, rights, COMPILER),
            "This machine lacks a C compiler, and only you can install that, by typing:\n    \
                 xcode-select --install\n\
             Then run the same command again."
        );
    }
}

#[test]
fn plan_for_an_unknown_system_explains() {
    for rights in [Rights::Root, Rights::Sudo, Rights::None] {
        let both = plan(&found(None, rights, BOTH, false));
        assert_eq!(
            both.to_string(),
            "This machine lacks a C compiler and OpenBLAS, and has no package manager that \
             is known here (apt, dnf, pacman, brew). Please install:\n    \
                 a C compiler that is called `cc`, with its linker and C library\n    \
                 OpenBLAS with CBLAS, LAPACK and its development files \
             (the linker must find it as -lopenblas)\n\
             Then run the same command again."
        );
        let one = plan(&found(None, rights, OPENBLAS, false));
        assert!(one.to_string().starts_with("This machine lacks OpenBLAS, and has"));
        assert!(!one.to_string().contains("compiler"));
    }
}

const MDBOOK: &[Need] = &[Need::MdBook, Need::MdBookKatex];

#[test]
fn plan_for_tools_needs_no_rights_and_no_package_manager() {
    for manager in [None, Some(Manager::Apt), Some(Manager::Brew)] {
        for rights in [Rights::Root, Rights::Sudo, Rights::None] {
            assert_eq!(
                plan(&found(manager, rights, MDBOOK, true)).to_string(),
                "This machine lacks mdbook and mdbook-katex. Installing with:\n    \
                     cargo install --locked mdbook@0.5.3\n    \
                     cargo install --locked mdbook-katex@0.10.0"
            );
        }
    }
}

#[test]
fn plan_installs_tools_after_what_they_are_built_with() {
    let needed = [Need::Compiler, Need::MdBook, Need::MdBookKatex];
    let text = |rights| plan(&found(Some(Manager::Dnf), rights, &needed, true)).to_string();
    assert_eq!(
        text(Rights::Root),
        "This machine lacks a C compiler, mdbook and mdbook-katex. Installing with:\n    \
             dnf install --assumeyes gcc\n    \
             cargo install --locked mdbook@0.5.3\n    \
             cargo install --locked mdbook-katex@0.10.0"
    );
    // The compiler is not ours to install; the rest waits for it.
    assert_eq!(
        text(Rights::None),
        "This machine lacks a C compiler, and only an administrator can install that, \
         by typing:\n    \
             dnf install --assumeyes gcc\n\
         Then run the same command again."
    );
}

#[test]
fn plan_brings_what_a_tool_is_compiled_with() {
    let needed = [Need::Patch, Need::MdBookKatex];
    assert_eq!(
        plan(&found(Some(Manager::Apt), Rights::Root, &needed, true)).to_string(),
        "This machine lacks patch and mdbook-katex. Installing with:\n    \
             env DEBIAN_FRONTEND=noninteractive apt-get install --yes patch\n    \
             cargo install --locked mdbook-katex@0.10.0"
    );
}

#[test]
fn plan_leaves_another_version_alone_and_says_what_to_type() {
    let tools = MDBOOK.iter().filter_map(|need| need.tool());
    let unfit = tools.zip(["0.4.52", "0.9.4"]).map(|(tool, v)| (tool, v.to_owned())).collect();
    let found = Found { unfit, ..found(Some(Manager::Apt), Rights::Root, BOTH, true) };
    assert_eq!(
        plan(&found).to_string(),
        "mdbook 0.4.52 is installed, and the book is made with mdbook 0.5.\n\
         mdbook-katex 0.9.4 is installed, and the book is made with mdbook-katex 0.10.\n\
         Please put the right one in its place, by typing:\n    \
             cargo install --locked mdbook@0.5.3\n    \
             cargo install --locked mdbook-katex@0.10.0\n\
         Then run the same command again."
    );
}

#[test]
fn a_version_fits_by_its_first_two_numbers() {
    let mdbook = Need::MdBook.tool().unwrap();
    for (version, fits) in
        [("0.5.4", true), ("0.5.12", true), ("0.4.52", false), ("0.50.4", false), ("1.5.4", false)]
    {
        assert_eq!(mdbook.fits(version), fits, "{version}");
    }
}
