// Which page a path is. Each is loaded when it is first opened.
import { lazy, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";
import { Empty } from "../parts/basics";

const Connections = lazy(() => import("../pages/connections"));
const SetUp = lazy(() => import("../pages/setup"));

export function Pages() {
    return (
        <Suspense fallback={<div aria-busy="true" />}>
            <Switch>
                <Route path="/">
                    <Redirect to="/connections" replace />
                </Route>
                <Route path="/connections" component={Connections} />
                <Route path="/connections/new" component={SetUp} />
                <Route>
                    <Empty title="There is no such page">The address is wrong, or what was here is gone.</Empty>
                </Route>
            </Switch>
        </Suspense>
    );
}
