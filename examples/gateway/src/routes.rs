//! Which operation a request is for.

use http::Method;

use crate::target::{Prefix, Target};

/// The APIs, by where they are served.
#[derive(Debug)]
pub(crate) struct Routes<T> {
    /// The longest prefix first: what lies under an API's own prefix is never another API's.
    apis: Vec<(Prefix, Resources<T>)>,
}

/// The resources of one API, the most specific first.
#[derive(Debug, Clone)]
pub(crate) struct Resources<T>(Vec<(Target, Vec<(Method, T)>)>);

/// What is there for a path and a method.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'r, 'p, T> {
    /// The operation, and the path behind the API's prefix.
    Operation(&'r T, &'p str),
    /// The resource has these methods only.
    OtherMethods(Vec<&'r Method>),
    /// The API has no such resource.
    NoResource,
    /// No API is served there.
    NoApi,
}

impl<T> Routes<T> {
    pub(crate) fn new() -> Self {
        Self { apis: Vec::new() }
    }

    /// # Errors
    ///
    /// When there is an API already.
    pub(crate) fn add(&mut self, prefix: Prefix, resources: Resources<T>) -> Result<(), Taken> {
        if self.apis.iter().any(|(other, _)| *other == prefix) {
            return Err(Taken);
        }
        let place = self
            .apis
            .partition_point(|(other, _)| other.len() >= prefix.len());
        self.apis.insert(place, (prefix, resources));
        Ok(())
    }

    /// `path` has to be a checked one.
    ///
    /// The resource is chosen by the path alone, and only then asked for the method: a rule for every
    /// path does not take over the methods that a more specific resource has no operation for.
    pub(crate) fn find<'r, 'p>(&'r self, method: &Method, path: &'p str) -> Found<'r, 'p, T> {
        let api = self
            .apis
            .iter()
            .find_map(|(prefix, resources)| Some((prefix.strip(path)?, resources)));
        let Some((rest, Resources(resources))) = api else {
            return Found::NoApi;
        };
        let Some((_, operations)) = resources.iter().find(|(target, _)| target.matches(rest))
        else {
            return Found::NoResource;
        };
        match operations.iter().find(|(verb, _)| verb == method) {
            Some((_, operation)) => Found::Operation(operation, rest),
            None => Found::OtherMethods(operations.iter().map(|(verb, _)| verb).collect()),
        }
    }
}

impl<T> Resources<T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// # Errors
    ///
    /// When there is an operation for this target and method already.
    pub(crate) fn add(
        &mut self,
        target: Target,
        method: Method,
        operation: T,
    ) -> Result<(), Taken> {
        match self.0.binary_search_by(|(other, _)| other.cmp(&target)) {
            Err(place) => self.0.insert(place, (target, vec![(method, operation)])),
            Ok(place) => {
                let (_, operations) = &mut self.0[place];
                if operations.iter().any(|(verb, _)| *verb == method) {
                    return Err(Taken);
                }
                operations.push((method, operation));
            }
        }
        Ok(())
    }
}

/// Something is served there already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken;

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(operations: &[(&str, Method, &'static str)]) -> Resources<&'static str> {
        let mut resources = Resources::new();
        for (target, method, name) in operations {
            resources
                .add(Target::parse(target).unwrap(), method.clone(), *name)
                .unwrap();
        }
        resources
    }

    fn routes() -> Routes<&'static str> {
        let mut routes = Routes::new();
        let one = resources(&[
            ("/*", Method::GET, "any"),
            ("/*", Method::POST, "any POST"),
            ("/{id}", Method::GET, "one"),
            ("/admin", Method::GET, "admin"),
            ("/admin", Method::PUT, "admin PUT"),
        ]);
        routes.add(Prefix::new("/a"), one).unwrap();
        routes
            .add(
                Prefix::new("/a/1.0.0"),
                resources(&[("/x", Method::GET, "deep")]),
            )
            .unwrap();
        routes
    }

    #[test]
    fn the_most_specific_resource_is_chosen() {
        let routes = routes();
        for (path, name, rest) in [
            ("/a/admin", "admin", "/admin"),
            ("/a/%61dmin", "admin", "/%61dmin"),
            ("/a/admin/", "admin", "/admin/"),
            ("/a/other", "one", "/other"),
            ("/a/other/deeper", "any", "/other/deeper"),
            ("/a", "any", ""),
            ("/a/1.0.0/x", "deep", "/x"),
        ] {
            assert_eq!(
                routes.find(&Method::GET, path),
                Found::Operation(&name, rest),
                "{path}"
            );
        }
    }

    #[test]
    fn a_wider_rule_does_not_take_over_the_methods_of_a_narrower_one() {
        let routes = routes();
        let methods = vec![&Method::GET, &Method::PUT];
        assert_eq!(
            routes.find(&Method::POST, "/a/admin"),
            Found::OtherMethods(methods)
        );
    }

    #[test]
    fn what_is_under_an_apis_prefix_is_never_another_apis() {
        assert_eq!(routes().find(&Method::GET, "/a/1.0.0/y"), Found::NoResource);
        assert_eq!(routes().find(&Method::GET, "/b"), Found::NoApi);
        assert_eq!(routes().find(&Method::GET, "/ab"), Found::NoApi);
    }

    #[test]
    fn a_place_is_given_once() {
        let mut routes = routes();
        assert_eq!(routes.add(Prefix::new("/a/"), Resources::new()), Err(Taken));
        let mut resources = resources(&[("/a/{x}", Method::GET, "x")]);
        let target = Target::parse("/a/{y}").unwrap();
        assert_eq!(resources.add(target.clone(), Method::GET, "y"), Err(Taken));
        assert_eq!(resources.add(target, Method::PUT, "y"), Ok(()));
    }
}
