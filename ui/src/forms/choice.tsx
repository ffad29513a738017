// A choice among objects (`oneOf` with a constant in each branch): one of them, or nothing where nothing is allowed.
import type { FieldProps, RJSFSchema } from "@rjsf/utils";
import { useEffect } from "react";
import { plainText } from "./templates";
import { branchesOf, branchOf, constantsOf, formSchemaOf, uiSchemaOf, type ConfigData, type SpecSchema } from "./uischema";

type Props = FieldProps<ConfigData, RJSFSchema>;

export function ChoiceField(props: Props) {
    const { schema, formData, onChange, required, idSchema, registry } = props;
    const spec = (schema as { choice: SpecSchema }).choice;
    const branches = branchesOf(spec);
    const chosen = branchOf(branches, formData);
    const branch = branches[chosen];
    const { SchemaField } = registry.fields;
    const id = `${idSchema.$id}__choice`;

    function choose(index: number) {
        const next = branches[index];
        if (!next) return onChange(undefined);
        onChange(registry.schemaUtils.getDefaultFormState(formSchemaOf(next), constantsOf(next)) as ConfigData);
    }

    // What has to be chosen begins with what the spec suggests, or its first branch.
    useEffect(() => {
        if (required && chosen < 0) choose(Math.max(0, branchOf(branches, spec.default)));
    });

    const form = branch && formSchemaOf({ ...branch, title: "", description: "" });
    return (
        <fieldset className="group">
            <legend>
                {spec.title ?? props.name}
                {required && <span aria-hidden="true"> *</span>}
            </legend>
            {spec.description && <p className="help">{plainText(spec.description)}</p>}
            <select id={id} aria-label={spec.title ?? props.name} value={chosen} onChange={(event) => choose(Number(event.target.value))}>
                {!required && <option value={-1}>Not given</option>}
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
