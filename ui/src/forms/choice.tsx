// A choice among objects (`oneOf`): one of them, or nothing where nothing is allowed.
import type { FieldProps, RJSFSchema } from "@rjsf/utils";
import { useEffect, useLayoutEffect, useState } from "react";
import { plainText } from "./templates";
import { branchesOf, branchOf, chosenOf, constantsOf, firstOf, formSchemaOf, uiSchemaOf, type ConfigData, type SpecSchema } from "./uischema";

const WHOLE = "root";

type Props = FieldProps<ConfigData, RJSFSchema>;

/** What the form hands to its choices: where they say what was picked, for the validator. */
export interface ChoiceContext {
    picked: Map<string, number>;
}

export function ChoiceField(props: Props) {
    const { schema, formData, onChange, required, idSchema, registry } = props;
    const spec = (schema as { choice: SpecSchema }).choice;
    const branches = branchesOf(spec);
    const { picked } = props.formContext as ChoiceContext;
    const place = idSchema.$id;
    // The whole configuration is of one kind or the other.
    const needed = required || place === WHOLE;
    const title = spec.title || props.name || "Kind";
    const [lastPicked, setLastPicked] = useState(() => branchOf(branches, formData));
    const chosen = chosenOf(branches, formData, lastPicked);
    const branch = branches[chosen];
    const { SchemaField } = registry.fields;
    const id = `${place}__choice`;

    // An item of a list keeps what was picked, but changes its place, where one before it is removed.
    useLayoutEffect(() => {
        picked.set(place, chosen);
        return () => void picked.delete(place);
    }, [picked, place, chosen]);

    function choose(index: number) {
        setLastPicked(index);
        picked.set(place, index);
        const next = branches[index];
        if (!next) return onChange(undefined);
        const suggested = branchOf(branches, spec.default) === index ? (spec.default as ConfigData) : {};
        onChange(registry.schemaUtils.getDefaultFormState(formSchemaOf(next), { ...suggested, ...constantsOf(next) }) as ConfigData);
    }

    // What has to be chosen begins with what the spec suggests, or its first branch. Where nothing is there at all, its constants
    // are not either.
    useEffect(() => {
        if (!needed) return;
        const bare = Object.values(formData ?? {}).every((member) => member === undefined) && branch !== undefined && Object.keys(constantsOf(branch)).length > 0;
        if (chosen < 0) choose(firstOf(spec, branches));
        else if (bare) choose(chosen);
    });

    const form = branch && formSchemaOf({ ...branch, title: "", description: "" });
    return (
        <fieldset className="group">
            <legend>
                {title}
                {needed && <span aria-hidden="true"> *</span>}
            </legend>
            {spec.description && <p className="help">{plainText(spec.description)}</p>}
            <select id={id} aria-label={title} value={chosen} onChange={(event) => choose(Number(event.target.value))}>
                {!needed && <option value={-1}>Not given</option>}
                {branches.map((one, index) => (
                    <option key={`${one.title}${index}`} value={index}>
                        {one.title}
                    </option>
                ))}
            </select>
            {branch?.description && <p className="help">{plainText(branch.description)}</p>}
            {form && SchemaField && (
                <SchemaField
                    {...props}
                    schema={form}
                    uiSchema={{ ...uiSchemaOf(branch), "ui:title": "", "ui:description": "" }}
                    idSchema={registry.schemaUtils.toIdSchema(form, idSchema.$id, formData)}
                />
            )}
        </fieldset>
    );
}
