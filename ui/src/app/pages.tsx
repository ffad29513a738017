// Which page a path is. Each is loaded when it is first opened.
import { lazy, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";
import { TASK_PATHS } from "../api/tasks";
import { Missing } from "../parts/basics";

const Connections = lazy(() => import("../pages/connections"));
const Connection = lazy(() => import("../pages/connection"));
const Actors = lazy(() => import("../pages/actors"));
const Connectors = lazy(() => import("../pages/connectors"));
const Settings = lazy(() => import("../pages/settings"));
const Tasks = lazy(() => import("../pages/tasks"));
const Collections = lazy(() => import("../pages/collections"));
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
                {(["capture", "materialization", "connection"] as const).flatMap((kind) => [
                    <Route key={`all-${kind}`} path={TASK_PATHS[kind]}>
                        <Tasks kind={kind} />
                    </Route>,
                    <Route key={`${kind}-one`} path={`${TASK_PATHS[kind]}/*`}>
                        {(params) => <Tasks kind={kind} name={params["*"]} />}
                    </Route>,
                ])}
                <Route path="/collections">
                    <Collections />
                </Route>
                <Route path="/collections/*">{(params) => <Collections key={params["*"]} name={params["*"]} />}</Route>
                <Route path="/connectors" component={Connectors} />
                <Route path="/settings" component={Settings} />
                <Route path="/connections/:id/:part?" component={Connection} />
                {(["source", "destination"] as const).flatMap((side) => [
                    <Route key={side} path={`/${side}s`}>
                        <Actors side={side} one={false} />
                    </Route>,
                    <Route key={`${side}-one`} path={`/${side}s/:id`}>
                        <Actors side={side} one />
                    </Route>,
                ])}
                <Route>
                    <Missing title="There is no such page" to="/connections" place="All connections">
                        The address is wrong, or what was here is gone.
                    </Missing>
                </Route>
            </Switch>
        </Suspense>
    );
}
