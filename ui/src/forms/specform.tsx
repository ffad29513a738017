// A form made from a connector's spec.
import Form from "@rjsf/core";
import type { RJSFSchema, RJSFValidationError } from "@rjsf/utils";
import { useMemo, useRef, useState, type ReactNode } from "react";
import { Notice } from "../parts/basics";
import { ChoiceField, type ChoiceContext } from "./choice";
import { ArrayTemplate, DescriptionTemplate, ErrorTemplate, FieldTemplate, ObjectTemplate } from "./templates";
import { formSchemaOf, schemaFor, uiSchemaOf, type ConfigData, type SpecSchema } from "./uischema";
import { withoutUntouched } from "./untouched";
import { validatorOf } from "./validator";
import { LongTextWidget, NumberWidget, SecretTextWidget, SecretWidget, SwitchWidget } from "./widgets";

interface Props {
    id: string;
    spec: RJSFSchema;
    value: ConfigData;
    /** As it is kept. */
    before: ConfigData;
    /** `sent`: what would be sent of it. */
    onChange: (value: ConfigData, sent: ConfigData) => void;
    onSubmit: (value: ConfigData) => void;
    /** Buttons; one of them submits. */
    children: ReactNode;
}

/** What is typed is checked once a field was left; before that nobody is told that it is wrong. */
export function SpecForm({ id, spec, value, before, onChange, onSubmit, children }: Props) {
    const schema = useMemo(() => formSchemaOf(spec as SpecSchema), [spec]);
    const uiSchema = useMemo(() => ({ ...uiSchemaOf(spec as SpecSchema), "ui:title": "", "ui:description": "" }), [spec]);
    const context = useMemo<ChoiceContext>(() => ({ picked: new Map() }), [spec]);
    const validator = useMemo(() => validatorOf(spec as SpecSchema, context.picked, before), [spec, context, before]);
    const [touched, setTouched] = useState(false);
    const [unseen, setUnseen] = useState<string[]>([]);
    const place = useRef<HTMLDivElement>(null);

    const sentOf = (typed: ConfigData = {}) => withoutUntouched(schemaFor(spec as SpecSchema, typed, context.picked), typed, before) as ConfigData;

    /** To the first field that is wrong, so that nobody has to look for it; what no field says is told below them all. */
    function showProblems(errors: RJSFValidationError[]) {
        requestAnimationFrame(() => {
            const form = place.current;
            const saidBy = (property: string) => form?.querySelector(`[id="${CSS.escape(`root${property.replaceAll(".", "_")}__error`)}"]`);
            setUnseen(
                errors.filter(({ property }) => !saidBy(property ?? "")).map(({ property, message }) => `${property?.slice(1) || "The whole"}: ${message}`),
            );
            form?.querySelector<HTMLElement>(".wrong input, .wrong textarea, .wrong select, .wrong button")?.focus();
        });
    }

    return (
        <div ref={place}>
            <Form<ConfigData, RJSFSchema>
                id={id}
                schema={schema}
                uiSchema={uiSchema}
                formData={value}
                validator={validator}
                fields={{ ChoiceField }}
                liveValidate={touched}
                showErrorList={false}
                noHtml5Validate
                experimental_defaultFormStateBehavior={{
                    constAsDefaults: "always",
                    emptyObjectFields: "populateAllDefaults",
                    arrayMinItems: { populate: "requiredOnly" },
                }}
                templates={{
                    FieldTemplate,
                    FieldErrorTemplate: ErrorTemplate,
                    ObjectFieldTemplate: ObjectTemplate,
                    ArrayFieldTemplate: ArrayTemplate,
                    DescriptionFieldTemplate: DescriptionTemplate,
                }}
                widgets={{ PasswordWidget: SecretWidget, NumberWidget, LongTextWidget, SecretTextWidget, CheckboxWidget: SwitchWidget }}
                formContext={context}
                onChange={(event) => {
                    setUnseen([]);
                    onChange(event.formData ?? {}, sentOf(event.formData));
                }}
                onBlur={() => setTouched(true)}
                onSubmit={(event) => onSubmit(sentOf(event.formData))}
                onError={(errors) => {
                    setTouched(true);
                    showProblems(errors);
                }}
            >
                {unseen.length > 0 && (
                    <Notice kind="error" title="Something is wrong that no field here shows">
                        <ul>
                            {unseen.map((problem) => (
                                <li key={problem}>{problem}</li>
                            ))}
                        </ul>
                    </Notice>
                )}
                {children}
            </Form>
        </div>
    );
}
